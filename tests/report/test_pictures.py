"""Pictures and drawings are bounded."""

import base64
import io

import pytest
from hostile_report import fitted
from PIL import Image

LEVELS = "".join(f'<g id="a{k}">' + f'<use href="#a{k - 1}"/>' * 10 + "</g>" for k in range(1, 20))
BOMBS = {
    "levels": f'<rect id="a0"/>{LEVELS}<use href="#a19"/>',
    "flat": '<g id="a">' + "<path/>" * 200 + "</g>" + '<use href="#a"/>' * 200,
    "itself": '<g id="a"><use href="#a"/></g>',
    "pattern": '<pattern id="a"/><rect fill="url(#a)"/>',
    "clips": '<clipPath id="a"><rect clip-path="url(#b)"/></clipPath>',
    "elsewhere": '<use href="data:image/svg+xml,x#a"/>',
}


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("kind", ["inline", "image"])
def test_a_drawing_that_takes_no_end_is_left_out(bomb, kind):
    svg = f'<svg xmlns="http://www.w3.org/2000/svg">{BOMBS[bomb]}</svg>'
    source = base64.b64encode(svg.encode()).decode()
    shown = (
        svg
        if kind == "inline"
        else f'<img src="data:image/svg+xml;base64,{source}" alt="(picture)">'
    )
    soup = fitted(f"# A\n\nx {shown} y")
    assert not soup.find("img") and "x (picture) y" in soup.get_text()


@pytest.mark.parametrize(("side", "many", "kept"), [(6000, 1, 0), (4900, 12, 10), (900, 9, 9)])
def test_pixels_of_pictures_are_bounded(side, many, kept):
    Image.new("1", (side, side)).save(buffer := io.BytesIO(), "PNG")
    tag = f'<img src="data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}">'
    assert len(fitted(f"# A\n\n{tag * many}").find_all("img")) == kept
