"""Pictures to share, looked at: what an SVG says of its tokens, and what colour a pixel of a PNG has."""

import io
import re
from dataclasses import dataclass
from xml.etree import ElementTree

from PIL import Image

SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Shade:
    """A token as it is shaded: what it gave, its place in pixels, its colour and how strong that is."""

    bits: str
    x: float
    y: float
    width: float
    height: float
    fill: str
    opacity: float

    def colour(self, paper: str) -> tuple[int, int, int]:
        """What is seen of it where no letter stands."""
        pairs = zip(rgb(self.fill), rgb(paper), strict=True)
        red, green, blue = (round(over * self.opacity + under * (1 - self.opacity)) for over, under in pairs)
        return red, green, blue


@dataclass(frozen=True)
class Drawn:
    """An SVG: what it is called, what it tells, how its tokens are shaded."""

    title: str
    told: str
    shades: list[Shade]


def drawn(svg: str) -> Drawn:
    root = ElementTree.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    return Drawn(_text(root, "title"), _text(root, "desc"), [_shade(each) for each in root if _is_token(each)])


def _is_token(element: ElementTree.Element) -> bool:
    return element.tag == f"{SVG}g" and element.find(f"{SVG}title") is not None


def _shade(token: ElementTree.Element) -> Shade:
    found = token.find(f"{SVG}rect")
    assert found is not None
    x, y, width, height = (float(found.attrib[name]) for name in ("x", "y", "width", "height"))
    return Shade(_text(token, "title"), x, y, width, height, found.attrib["fill"], float(found.attrib["fill-opacity"]))


def _text(element: ElementTree.Element, name: str) -> str:
    return element.findtext(f"{SVG}{name}") or ""


def pixels(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB")


def near(image: Image.Image, at: tuple[float, float], colour: tuple[int, int, int]) -> bool:
    """Is the pixel there of this colour, as far as rounding goes?"""
    found = image.getpixel((round(at[0]), round(at[1])))
    assert isinstance(found, tuple)
    return all(abs(one - other) <= 2 for one, other in zip(found, colour, strict=True))


def rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = re.findall("..", colour.removeprefix("#"))
    return int(red, 16), int(green, 16), int(blue, 16)
