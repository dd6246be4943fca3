"""Fetch the vendored front-end packages again, exactly as `hub/web/vendor.json` names them.

`python tools/vendor.py` packs every package with `npm pack NAME@VERSION`, refuses a tarball whose sha512 is not the pinned
`integrity`, copies the named files and the licence under `hub/web/static/`, builds the icon sprite and writes the sha256 of
every file back into vendor.json (tests/web/test_assets.py compares these with the working tree). `--check` only compares.
To take a new version: change `version` and `integrity` in vendor.json (`npm view NAME@VERSION dist.integrity` prints it),
run this, look at the diff.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

WEB = Path(__file__).resolve().parent.parent / "hub" / "web"
MANIFEST = WEB / "vendor.json"
STATIC = WEB / "static"


def pack(name: str, version: str) -> bytes:
    """The package's tarball, by the ordinary npm client. Raises CalledProcessError when npm cannot deliver it."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", f"{name}@{version}", "--silent", "--pack-destination", folder]
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)
        [tarball] = Path(folder).glob("*.tgz")
        return tarball.read_bytes()


def integrity(data: bytes) -> str:
    """npm's Subresource-Integrity string of a tarball."""
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


def members(tarball: bytes) -> dict[str, bytes]:
    """Plain files of an npm tarball by their path inside the package."""
    with tarfile.open(fileobj=io.BytesIO(tarball), mode="r:gz") as archive:
        found = {}
        for member in archive:
            handle = archive.extractfile(member) if member.isfile() else None
            if handle is not None:
                found[member.name.partition("/")[2]] = handle.read()
        return found


def sprite(files: dict[str, bytes], icons: list[str], version: str) -> bytes:
    """One SVG with a <symbol> for each icon, in the order of vendor.json; colour and stroke come from the page's CSS."""
    lines = [f"<!-- lucide-static {version}, ISC licence: vendor/lucide/LICENSE. Built by tools/vendor.py -->"]
    lines.append('<svg xmlns="http://www.w3.org/2000/svg">')
    for name in icons:
        source = files[f"icons/{name}.svg"].decode()
        body = source[source.index(">", source.index("<svg")) + 1 : source.rindex("</svg>")]
        shapes = re.sub(r"\s*(<[^>]+?)\s*/>", r"\1/>", body).strip()
        lines.append(f'<symbol id="{name}" viewBox="0 0 24 24">{shapes}</symbol>')
    return "\n".join([*lines, "</svg>", ""]).encode()


def build(manifest: dict[str, Any]) -> dict[str, bytes]:
    """Everything that the manifest asks for: path under static/ -> content. Exits when a tarball is not the pinned one."""
    built: dict[str, bytes] = {}
    for package in manifest["packages"]:
        tarball = pack(package["name"], package["version"])
        if integrity(tarball) != package["integrity"]:
            sys.exit(f"{package['name']}@{package['version']}: the registry's tarball is not the one pinned in {MANIFEST.name}")
        files = members(tarball)
        for source, target in package["files"].items():
            built[target] = files[source]
        if "sprite" in package:
            built[package["sprite"]] = sprite(files, manifest["icons"], package["version"])
    return built


def main() -> None:
    """Write the files and their hashes, or with --check name those that differ and exit with 1."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file differs from its package")
    check = parser.parse_args().check
    manifest = json.loads(MANIFEST.read_text())
    built = build(manifest)
    if check:
        wrong = [path for path, data in built.items() if not (STATIC / path).is_file() or (STATIC / path).read_bytes() != data]
        sys.exit(f"not as in their packages: {', '.join(wrong)}" if wrong else 0)
    for path, data in built.items():
        (STATIC / path).parent.mkdir(parents=True, exist_ok=True)
        (STATIC / path).write_bytes(data)
    manifest["sha256"] = {path: hashlib.sha256(data).hexdigest() for path, data in sorted(built.items())}
    MANIFEST.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
