"""An address as a QR code, for a wall and for cards that are printed."""

import io

import segno
from markupsafe import Markup


def qr(address: str) -> Markup:
    """SVG of the code, as large as its place: dark on light in every scheme, since cameras read no other."""
    found = io.BytesIO()
    code = segno.make_qr(address, error="m")
    code.save(found, kind="svg", xmldecl=False, omitsize=True, border=4, dark="#000", light="#fff", svgclass="qr")
    return Markup(found.getvalue().decode())  # noqa: S704 drawn from numbers: the address is in it as dots
