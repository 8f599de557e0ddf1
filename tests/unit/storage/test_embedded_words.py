"""An image's words for other programs, read back by Pillow, by the standard library and, where it is, by exiftool."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from PIL import Image, IptcImagePlugin

from shared.contracts import Correction, ImageRecord
from storage_service import lineage
from storage_service.embedded_words import with_words
from storage_service.errors import CannotEmbed
from storage_service.iptc import UnreadableResources, resources_with
from storage_service.new_images import image_of
from storage_service.xmp import packet_of, sidecar_of
from tests.pictures import drawn_picture, encoded
from tests.unit.storage.samples import new_image

CAPTION = "Zwei Hunde & ein <Bär> 🐕\x0b in „Köln“"
SHOWN = "Zwei Hunde & ein <Bär> 🐕 in „Köln“"
FOREIGN = b"""<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmp:Rating="4"
 xmlns:mine="http://example.org/mine/" mine:shelf="7">
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">old words</rdf:li></rdf:Alt></dc:description>
<dc:subject><rdf:Bag><rdf:li>holiday</rdf:li></rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""


def _record(*, caption: str | None = CAPTION, label: str = "my_dogs", media_type: str = "image/jpeg") -> ImageRecord:
    image = image_of(new_image(b"x").model_copy(update={"media_type": media_type}), size_bytes=1)
    image.analyses.clear()
    said = {"label": None if label == "unclassified" else label, "caption": caption}
    image.analyses.extend(lineage.corrected(Correction.model_construct(**said)))
    lineage.refresh(image)
    return lineage.record_of(image)


def _exiftool(file: Path) -> dict[str, object]:
    if shutil.which("exiftool") is None:
        pytest.skip("no exiftool: install it (Debian: apt-get install libimage-exiftool-perl)")
    told = subprocess.run(["exiftool", "-json", "-G", "-struct", str(file)], capture_output=True, check=True)
    return json.loads(told.stdout)[0]


def _texts(packet: bytes, name: str) -> list[str]:
    root = ET.fromstring(packet.decode())
    return [item.text or "" for node in root.iter(name) for item in node.iter(f"{RDF}li")]


RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
DESCRIPTION = "{http://purl.org/dc/elements/1.1/}description"
SUBJECT = "{http://purl.org/dc/elements/1.1/}subject"


def test_a_sidecar_says_caption_and_label_where_other_programs_look() -> None:
    sidecar = sidecar_of(_record())
    assert sidecar is not None
    assert _texts(sidecar, DESCRIPTION) == [SHOWN]
    assert _texts(sidecar, "{http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/}AltTextAccessibility") == [SHOWN]
    assert _texts(sidecar, SUBJECT) == ["my_dogs"]
    assert _texts(sidecar, "{http://ns.adobe.com/lightroom/1.0/}hierarchicalSubject") == ["Legenda|my_dogs"]
    assert _texts(sidecar, "{http://www.digikam.org/ns/1.0/}TagsList") == ["Legenda/my_dogs"]


def test_exiftool_reads_a_sidecar(tmp_path: Path) -> None:
    file = tmp_path / "dog.jpg.xmp"
    file.write_bytes(sidecar_of(_record()) or b"")
    told = _exiftool(file)
    assert (told["XMP:Description"], told["XMP:AltTextAccessibility"]) == (SHOWN, SHOWN)
    assert (told["XMP:Subject"], told["XMP:HierarchicalSubject"]) == (["my_dogs"], ["Legenda|my_dogs"])
    assert told["XMP:TagsList"] == ["Legenda/my_dogs"]


def test_an_image_without_words_has_no_sidecar() -> None:
    assert sidecar_of(_record(caption=None, label="unclassified")) is None
    assert _texts(sidecar_of(_record(caption=None)) or b"", DESCRIPTION) == []


def test_what_an_image_says_of_itself_stays_beside_its_new_words() -> None:
    packet = packet_of(_record(), FOREIGN)
    assert _texts(packet, DESCRIPTION) == [SHOWN]
    assert _texts(packet, SUBJECT) == ["holiday", "my_dogs"]
    description = next(ET.fromstring(packet.decode()).iter(f"{RDF}Description"))
    assert description.get("{http://ns.adobe.com/xap/1.0/}Rating") == "4"
    assert description.get("{http://example.org/mine/}shelf") == "7"
    again = packet_of(_record(), packet)
    assert [_texts(again, name) for name in (DESCRIPTION, SUBJECT)] == [[SHOWN], ["holiday", "my_dogs"]]


@pytest.mark.parametrize(
    "existing",
    [
        b"no xml",
        b"\xff\xfe\x00",
        b"<other/>",
        b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + b"<a>" * 20_000 + b"</a>" * 20_000 + b"</x:xmpmeta>",
        b"<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'>]><x:xmpmeta xmlns:x='adobe:ns:meta/'>&a;</x:xmpmeta>",
    ],
)
def test_an_existing_packet_that_cannot_be_read_gives_way(existing: bytes) -> None:
    assert _texts(packet_of(_record(), existing), DESCRIPTION) == [SHOWN]


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_copy_has_the_same_pixels_and_the_words(kind: str, tmp_path: Path) -> None:
    original = encoded(drawn_picture(300, 200), kind)
    copy = with_words(original, _record(media_type=f"image/{kind.lower()}"))
    file = tmp_path / f"copy.{kind.lower()}"
    file.write_bytes(copy)

    with Image.open(file) as picture, Image.open(_saved(original, tmp_path)) as before:
        assert picture.tobytes() == before.tobytes()
        said = picture.getxmp()["xmpmeta"]["RDF"]["Description"]
    assert said["description"]["Alt"]["li"]["text"] == SHOWN
    assert said["subject"]["Bag"]["li"] == "my_dogs"


def test_a_jpegs_exif_profile_and_iptc_stay(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    original = encoded(drawn_picture(), exif=exif, icc_profile=b"a profile", comment=b"a comment")
    latin = b"\x1c\x02\x69\x00\x05K\xf6ln!" + b"\x1c\x02\x19\x00\x07holiday"  # a headline and a keyword, in Latin 1
    resource = b"8BIM\x04\x04\x00\x00" + len(latin).to_bytes(4, "big") + latin + b"\x00" * (len(latin) % 2)
    segment = b"Photoshop 3.0\x00" + resource
    original = original[:2] + b"\xff\xed" + (len(segment) + 2).to_bytes(2, "big") + segment + original[2:]
    file = tmp_path / "copy.jpg"
    file.write_bytes(with_words(original, _record()))

    with Image.open(file) as picture:
        assert picture.getexif()[0x010F] == "A camera"
        assert (picture.info["icc_profile"], picture.info["comment"]) == (b"a profile", b"a comment")
        iptc = IptcImagePlugin.getiptcinfo(picture)
    assert iptc is not None
    assert (iptc[2, 120], iptc[2, 105]) == (SHOWN.encode(), "Köln!".encode())
    assert iptc[2, 25] == [b"holiday", b"my_dogs"]

    assert len(with_words(file.read_bytes(), _record())) == file.stat().st_size  # nothing is said twice


def test_exiftool_reads_a_copy_without_complaint(tmp_path: Path) -> None:
    for kind in ("JPEG", "PNG"):
        file = tmp_path / f"copy.{kind.lower()}"
        exif = Image.Exif()
        exif[0x010F] = "A camera"
        file.write_bytes(with_words(encoded(drawn_picture(), kind, exif=exif), _record()))
        told = _exiftool(file)
        assert "ExifTool:Warning" not in told
        assert (told["XMP:Description"], told["EXIF:Make"]) == (SHOWN, "A camera")
        if kind == "JPEG":
            assert (told["IPTC:Caption-Abstract"], told["IPTC:Keywords"]) == (SHOWN, "my_dogs")


@pytest.mark.parametrize(
    "original",
    [
        encoded(drawn_picture(), "GIF"),
        encoded(drawn_picture(), "WEBP"),
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xe0\xff\xff",
        b"\xff\xd8\xff\xe1\x00\x01",
        b"\x89PNG\r\n\x1a\n",
        b"",
    ],
)
def test_what_has_no_place_for_words_is_refused(original: bytes) -> None:
    with pytest.raises(CannotEmbed):
        with_words(original, _record())


@pytest.mark.parametrize(
    "damaged", [b"8BIM\x04\x04\x00\x00\x00\x00\xff\xff", b"nothing at all", b"8BIM" + b"\xff" * 20]
)
def test_damaged_resources_are_said_to_be(damaged: bytes) -> None:
    with pytest.raises(UnreadableResources):
        resources_with(damaged, caption="a dog", keyword="photo")


def test_damaged_resources_cost_a_copy_nothing_but_iptc(tmp_path: Path) -> None:
    damaged = b"Photoshop 3.0\x00nothing at all"
    original = encoded(drawn_picture())
    original = original[:2] + b"\xff\xed" + (len(damaged) + 2).to_bytes(2, "big") + damaged + original[2:]
    copy = with_words(original, _record())
    assert damaged in copy
    assert SHOWN.split(" &", maxsplit=1)[0].encode() in copy


def _saved(content: bytes, folder: Path) -> Path:
    file = folder / "original"
    file.write_bytes(content)
    return file
