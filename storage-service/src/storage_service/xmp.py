"""Say an image's caption and label in XMP, so that other programs read them.

The caption goes where Lightroom, digiKam, darktable and Immich look for a description, and into the alternative text of
IPTC; the label is a keyword, and as `Legenda/<label>` a tag in the hierarchies of Lightroom and digiKam. What else an
image's own XMP says stays.

Source: Adobe, XMP Specification Part 1 (ISO 16684-1); IPTC Photo Metadata Standard 2023.1.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from shared.contracts import UNCLASSIFIED, ImageRecord

TAG_ROOT = "Legenda"
MOST_PACKET_BYTES = 1024 * 1024

_NAMESPACES = {
    "x": "adobe:ns:meta/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "digiKam": "http://www.digikam.org/ns/1.0/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "xmpNote": "http://ns.adobe.com/xmp/note/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "crs": "http://ns.adobe.com/camera-raw-settings/1.0/",
}
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PACKET = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n{}\n<?xpacket end="w"?>'

for _prefix, _uri in _NAMESPACES.items():
    ET.register_namespace(_prefix, _uri)


def caption_of(record: ImageRecord) -> str | None:
    """Return what is said of an image, if anything is, in characters that XML can hold."""
    return _NOT_IN_XML.sub("", record.caption.value) if record.caption else None


def keyword_of(record: ImageRecord) -> str | None:
    """Return an image's label, unless it has none."""
    return None if record.label.value == UNCLASSIFIED else record.label.value


def sidecar_of(record: ImageRecord) -> bytes | None:
    """Return an image's words as an XMP file, or None where there are none."""
    return packet_of(record) if caption_of(record) or keyword_of(record) else None


def packet_of(record: ImageRecord, existing: bytes = b"") -> bytes:
    """Return an XMP packet with an image's words, and all else that an existing one says.

    One that is no XML, larger than MOST_PACKET_BYTES, or declares entities is not read.
    """
    root = _read(existing)
    rdf = root if root.tag == _name("rdf:RDF") else _child(root, "rdf:RDF")
    if caption := caption_of(record):
        _say(rdf, "dc:description", caption)
        _say(rdf, "Iptc4xmpCore:AltTextAccessibility", caption)
    if label := keyword_of(record):
        _tag(rdf, "dc:subject", "rdf:Bag", label)
        _tag(rdf, "lr:hierarchicalSubject", "rdf:Bag", f"{TAG_ROOT}|{label}")
        _tag(rdf, "digiKam:TagsList", "rdf:Seq", f"{TAG_ROOT}/{label}")
    return _PACKET.format(ET.tostring(root, encoding="unicode")).encode()


def _read(packet: bytes) -> ET.Element:
    """Return an existing packet's XML, or that of an empty one."""
    try:
        text = packet.decode().strip("\0 \r\n\t\ufeff")
        # Only a document type declares entities, and only entities make a small text large.
        if text and len(packet) <= MOST_PACKET_BYTES and "<!DOCTYPE" not in text:
            root = ET.fromstring(text)  # noqa: S314
            ET.tostring(root)  # one that is nested too deep to be written is not read either
            if root.tag in {_name("x:xmpmeta"), _name("rdf:RDF")}:
                return root
    except (UnicodeDecodeError, ET.ParseError, RecursionError):
        pass
    return ET.Element(_name("x:xmpmeta"))


def _say(rdf: ET.Element, name: str, text: str) -> None:
    """Set a text that may be said in many languages; what was said before gives way."""
    for description in rdf.findall(_name("rdf:Description")):
        for said in description.findall(_name(name)):
            description.remove(said)
        description.attrib.pop(_name(name), None)
    words = ET.SubElement(ET.SubElement(_description(rdf), _name(name)), _name("rdf:Alt"))
    ET.SubElement(words, _name("rdf:li"), {_LANGUAGE: "x-default"}).text = text


def _tag(rdf: ET.Element, name: str, kind: str, tag: str) -> None:
    """Add a word to a list, unless it is there."""
    found = next(
        (tags for description in rdf.iter(_name("rdf:Description")) for tags in description.iter(_name(name))), None
    )
    tags = ET.SubElement(_description(rdf), _name(name)) if found is None else found
    listed = tags[0] if len(tags) else ET.SubElement(tags, _name(kind))
    if tag not in {item.text for item in listed}:
        ET.SubElement(listed, _name("rdf:li")).text = tag


def _description(rdf: ET.Element) -> ET.Element:
    found = rdf.find(_name("rdf:Description"))
    return ET.SubElement(rdf, _name("rdf:Description"), {_name("rdf:about"): ""}) if found is None else found


def _child(parent: ET.Element, name: str) -> ET.Element:
    found = parent.find(_name(name))
    return ET.SubElement(parent, _name(name)) if found is None else found


def _name(qualified: str) -> str:
    prefix, _, local = qualified.partition(":")
    return f"{{{_NAMESPACES[prefix]}}}{local}"
