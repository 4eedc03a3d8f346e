from xml.etree import ElementTree as ET

from labkit.views.svg import Markup, element, id_of, join, path, picture, staircase

NASTY = '<script>alert("1")</script>&\''


def test_values_and_texts_are_escaped_once():
    drawn = element("text", NASTY, data_key=NASTY)
    assert "<script" not in drawn
    assert ET.fromstring(drawn).text == NASTY  # noqa: S314 - our own text
    assert ET.fromstring(drawn).get("data-key") == NASTY  # noqa: S314
    assert join([drawn, NASTY]).count("&amp;amp;") == 0


def test_none_is_left_out_and_numbers_are_short():
    assert element("rect", x=1 / 3, y=10.0, rx=None, class_="a") == (
        '<rect x="0.3" y="10" class="a"/>'
    )
    assert isinstance(element("g"), Markup)


def test_lines_and_staircases():
    assert path([]) == ""
    assert path([(0, 1), (2.25, 3)]) == "M0 1L2.2 3"
    assert staircase([(0, 1), (2, 3)]) == "M0 1H2V3"


def test_a_picture_names_and_describes_itself():
    drawn = picture(id_of("kind", "a b"), "Name <1>", "What is seen", width=10, height=20)
    root = ET.fromstring(drawn)  # noqa: S314
    assert [child.tag for child in root] == ["title", "desc"]
    assert root.get("aria-labelledby").split() == [child.get("id") for child in root]
    assert root.get("viewBox") == "0 0 10 20"


def test_different_names_have_different_ids():
    names = ["a b", "a_b", "a-b", "a_20_b", "ä b", ""]
    assert len({id_of("kind", name) for name in names}) == len(names)
