"""What an administrator pastes into a site: a form that works without scripts, and the same form with our script."""

from __future__ import annotations

from html import escape

from hub.domain.form import HONEYPOT, FormState

_FORM = """\
<form action="{action}" method="post" accept-charset="utf-8"{script_attributes}>
  <p><label>Имя<br><input name="name" autocomplete="name" maxlength="200"></label></p>
  <p><label>Телефон<br><input name="phone" type="tel" autocomplete="tel" maxlength="60" required></label></p>
  <p><label>Почта<br><input name="email" type="email" autocomplete="email" maxlength="200"></label></p>
  <p><label>Что нужно сделать<br><textarea name="message" rows="4" maxlength="10000"></textarea></label></p>
  <div style="position:absolute;left:-10000px" aria-hidden="true" data-hub-hidden>
    <label>Не заполняйте это поле <input name="{honeypot}" tabindex="-1" autocomplete="off"></label>
  </div>
{consent}  <p><button type="submit">Отправить</button></p>
</form>
"""
_CONSENT = """\
  <p><label><input type="checkbox" name="consent" value="yes"> {text}</label></p>
  <input type="hidden" name="consent_version" value="{version}">
"""
_SCRIPT = '<script src="{public_url}/static/hub-form.js" defer></script>\n'


def snippets(form: FormState, public_url: str) -> dict[str, str]:
    """The snippets of ``form``: ``html`` needs no script, ``script`` is the same form that our script looks after.

    Without JavaScript the second works as the first. ``public_url`` is the hub's address, without a slash at its end.
    """
    base = public_url.rstrip("/")
    attributes = {"data-hub-form": form.id, "data-phone": form.phone_shown, "data-thanks": form.thank_you,
                  "data-thanks-url": next(iter(form.thank_you_urls), "")}
    script_attributes = "".join(f'\n      {name}="{escape(value)}"' for name, value in attributes.items() if value)
    return {"html": _form(form, base, ""),
            "script": _form(form, base, script_attributes) + _SCRIPT.format(public_url=escape(base))}


def _form(form: FormState, base: str, script_attributes: str) -> str:
    consent = _CONSENT.format(text=escape(form.consent_text), version=form.consent_version) if form.consent_text else ""
    return _FORM.format(action=escape(f"{base}/f/{form.id}"), script_attributes=script_attributes,
                        honeypot=HONEYPOT, consent=consent)
