"""How the package is built: the templates lie at the top of the tree and travel inside the package."""

from __future__ import annotations

from pathlib import Path

from setuptools.command.build_py import build_py

TEMPLATES = Path("templates")
"""Relative to the root of the tree, where the build runs."""
FORMAT = Path("docs", "audit-format.md")
"""Travels in every export, so it is in the package."""


class BuildPy(build_py):  # type: ignore[misc]
    """Copies ``templates/`` to ``hub/templates/``. An editable install reads them where they are."""

    def run(self) -> None:
        """Build, then copy."""
        super().run()
        if not self.editable_mode:
            for source, target in self._templates().items():
                self.mkpath(str(Path(target).parent))
                self.copy_file(source, target, preserve_mode=False)

    def get_output_mapping(self) -> dict[str, str]:
        """What is built of what; the installer records it."""
        own = {} if self.editable_mode else self._templates()
        return {**super().get_output_mapping(), **{target: source for source, target in own.items()}}

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """All files that are built."""
        own = [] if self.editable_mode else list(self._templates().values())
        return [*super().get_outputs(include_bytecode), *own]

    def _templates(self) -> dict[str, str]:
        found = {str(path): str(Path(self.build_lib, "hub", path)) for path in sorted(TEMPLATES.rglob("*")) if path.is_file()}
        return {**found, str(FORMAT): str(Path(self.build_lib, "hub", "audit", FORMAT.name))}
