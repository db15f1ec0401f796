"""Hostile files and hostile numbers: what each must be answered, and that it costs little."""

import datetime
import gzip
import io
import shutil
import struct
import zipfile
import zlib

import pytest

from harness.client import Person, multipart
from harness.files import START, gpx_document, gpx_walk, trkpt, zip_of
from harness.fit import RECORD, UINT8, UINT32, FitFile, fit_time, with_file_id

GPX_OPEN = b'<?xml version="1.0"?><gpx version="1.1" creator="x" xmlns="http://www.topografix.com/GPX/1/1">'
POINT = '<trkpt lat="1" lon="2"><time>2024-11-18T06:00:00Z</time></trkpt>'
TRACK = f"<trk><trkseg>{POINT}</trkseg></trk>".encode()


def outcome(person, name, data):
    """(status, slug, detail) of a file, whether it was refused at once or later. Large ones are made when they are sent."""
    data = data() if callable(data) else data
    sent = person.upload((name, data))
    if sent.status not in (200, 202):
        return sent.status, sent.slug, sent.json.get("detail", "")
    upload = person.wait_upload(sent.json["id"])
    (file,) = [f for f in upload["files"] if f["status"] != "unpacked"]
    if file["status"] != "failed":
        return 202, file["status"], ""
    assert upload["status"] == "failed" and not file["workout_ids"]
    problem = file["problem"]
    return problem["status"], problem["type"].removeprefix("urn:ekiden:"), problem["detail"]


def laughs():
    entities = '<!ENTITY a0 "lol">' + "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10))
    return f'<?xml version="1.0"?><!DOCTYPE gpx [{entities}]><gpx><trk><name>&a9;</name></trk></gpx>'.encode()


def with_doctype(declarations, body="&x;"):
    return f'<?xml version="1.0"?><!DOCTYPE gpx [{declarations}]><gpx><trk><name>{body}</name></trk></gpx>'.encode()


def attributes(count):
    return b"<gpx " + b" ".join(b"a%d='1'" % i for i in range(count)) + b"></gpx>"


XML = {
    "billion laughs": (laughs(), 422, "xml-doctype-forbidden"),
    "quadratic entity": (with_doctype('<!ENTITY x "' + "a" * 100_000 + '">', "&x;" * 10_000), 422, "xml-doctype-forbidden"),
    "entity from a file": (with_doctype('<!ENTITY x SYSTEM "file:///etc/passwd">'), 422, "xml-doctype-forbidden"),
    "entity from the net": (with_doctype('<!ENTITY x SYSTEM "http://127.0.0.1:1/x">'), 422, "xml-doctype-forbidden"),
    "parameter entity": (with_doctype('<!ENTITY % p SYSTEM "http://127.0.0.1:1/x"> %p;'), 422, "xml-doctype-forbidden"),
    "external DTD": (b'<?xml version="1.0"?><!DOCTYPE gpx SYSTEM "file:///etc/passwd"><gpx/>', 422, "xml-doctype-forbidden"),
    "unknown entity": (GPX_OPEN + b"<trk><name>&secret;</name></trk></gpx>", 422, "xml-not-well-formed"),
    "a million deep": (lambda: GPX_OPEN + b"<a>" * 1_000_000, 422, "xml-too-deep"),
    "a million deep and back": (lambda: GPX_OPEN + b"<a>" * 500_000 + b"</a>" * 500_000 + b"</gpx>", 422, "xml-too-deep"),
    "many attributes": (lambda: attributes(200_000), (413, 422), ("xml-too-many-attributes", "xml-token-too-large")),
    "33 attributes": (attributes(33), 422, "xml-too-many-attributes"),
    "many namespaces": (b"<gpx " + b" ".join(b"xmlns:n%d='u:%d'" % (i, i) for i in range(17)) + b"/>", 422, "xml-too-many-namespaces"),
    "64 MiB text": (lambda: GPX_OPEN + b"<trk><name>" + b"a" * (64 << 20) + b"</name></trk></gpx>", 413, "xml-token-too-large"),
    "8 MiB attribute": (lambda: GPX_OPEN + b"<trk a='" + b"a" * (8 << 20) + b"'/></gpx>", 413, "xml-token-too-large"),
    "8 MiB comment": (lambda: GPX_OPEN + b"<!--" + b"a" * (8 << 20) + b"-->" + TRACK + b"</gpx>", 413, "xml-token-too-large"),
    "8 MiB CDATA": (lambda: GPX_OPEN + b"<trk><name><![CDATA[" + b"a" * (8 << 20) + b"]]></name></trk></gpx>", 413, "xml-token-too-large"),
    "UTF-7": (b'<?xml version="1.0" encoding="UTF-7"?><gpx>' + TRACK + b"</gpx>", 415, "unsupported-encoding"),
    "lying declaration": ('<?xml version="1.0" encoding="UTF-16"?><gpx></gpx>'.encode(), (415, 422), None),
    "broken UTF-8": (GPX_OPEN + b"<trk><name>\xff\xfe</name></trk></gpx>", 422, "xml-not-well-formed"),
    "unfinished": (GPX_OPEN + TRACK, 422, "xml-not-well-formed"),
    "other root": (b'<?xml version="1.0"?><html><body/></html>', (415, 422), None),
    "no points": (gpx_document([]), 422, "no-track-points"),
}


@pytest.mark.parametrize("case", XML)
def test_hostile_xml_is_refused_by_name(person, case):
    """Each with its own reason; nothing is expanded, fetched or kept."""
    data, status, slug = XML[case]
    got = outcome(person, "x.gpx", data)
    assert got[0] in (status if isinstance(status, tuple) else (status,)), got
    assert slug is None or got[1] in (slug if isinstance(slug, tuple) else (slug,)), got
    assert len(got[2]) > 10
    assert person.items("/workouts") == []


def test_utf16_with_a_mark_is_read(person):
    """What is allowed works: the same track in UTF-16 in both byte orders."""
    text = gpx_walk(10).decode().replace("UTF-8", "UTF-16")
    for number, codec in enumerate(("utf-16-le", "utf-16-be")):
        mark = b"\xff\xfe" if codec.endswith("le") else b"\xfe\xff"
        shifted = text.replace("2024-11-18", f"2024-11-1{number}")
        assert person.upload_one(f"{codec}.gpx", mark + shifted.encode(codec))["distance_m"] == 90


def test_hostile_files_cost_little_memory(make_server):
    """Depth, attributes, tokens, bombs: the most memory that was ever resident stays near what it was."""
    server = make_server()
    person = Person.register(server.address)
    person.upload_one("warm.gpx", gpx_walk(2000))
    before = server.memory_kib()
    for name, (data, _, _) in XML.items():
        # What has to be received is on disk, not in memory.
        outcome(person, "x.gpx", data)
    outcome(person, "bomb.gpx.gz", gzip.compress(b" " * (64 << 20)))
    grown = server.grown_kib(before)
    assert grown < 96 * 1024, f"{grown} KiB more"


@pytest.mark.one_process("one process to trace")
def test_nothing_is_opened_or_connected_to_for_a_file(make_server, tmp_path):
    """Under strace: an external entity opens no file and no connection."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    trace = tmp_path / "trace"
    server = make_server(wrapper=["strace", "-f", "-qq", "-o", str(trace), "-e", "trace=openat,open,connect"])
    person = Person.register(server.address)
    for case in ("entity from a file", "entity from the net", "parameter entity", "external DTD"):
        assert outcome(person, "x.gpx", XML[case][0])[1] == "xml-doctype-forbidden"
    server.stop()
    lines = trace.read_text().splitlines()
    assert any("openat" in line for line in lines), "strace saw nothing"
    assert not [line for line in lines if "etc/passwd" in line]
    assert not [line for line in lines if "connect(" in line and "AF_INET" in line]


POSITIONS = ["NaN", "91", "1e309", "-91", "0" * 400 + "x", "", "inf", "1,5", "0x10"]


@pytest.mark.parametrize("latitude", POSITIONS)
def test_a_position_that_is_none_is_named_by_its_index(person, latitude):
    """422 with the point's index; never a workout with a hole."""
    data = gpx_document([trkpt(1, 2, START), trkpt(1, 2, START + datetime.timedelta(seconds=1)), trkpt(latitude, 2, START)])
    status, slug, detail = outcome(person, "x.gpx", data)
    assert (status, slug) == (422, "invalid-position") and "2" in detail + "points[2]", (status, slug, detail)


def test_minus_zero_is_a_position(person):
    """-0 is on the equator."""
    points = [trkpt("-0", "-0.0", START), trkpt("0.001", "0", START + datetime.timedelta(seconds=60))]
    assert person.upload_one("zero.gpx", gpx_document(points))["distance_m"] == 111


def minutes(count, **kwargs):
    return START + datetime.timedelta(minutes=count, **kwargs)


IMPLAUSIBLE = {
    "time goes back": [trkpt(1, 2, minutes(0)), trkpt(1.001, 2, minutes(2)), trkpt(1.002, 2, minutes(1)), trkpt(1.003, 2, minutes(3))],
    "the year 1970": [trkpt(1, 2, datetime.datetime(1970, 1, 1, 0, 0, 1, tzinfo=datetime.timezone.utc)),
                      trkpt(1.001, 2, datetime.datetime(1970, 1, 1, 0, 1, tzinfo=datetime.timezone.utc))],
    "the year 9999": [trkpt(1, 2, datetime.datetime(9999, 1, 1, tzinfo=datetime.timezone.utc)),
                      trkpt(1.001, 2, datetime.datetime(9999, 1, 1, 0, 1, tzinfo=datetime.timezone.utc))],
    "500 km in a millisecond": [trkpt(1, 2, minutes(0)), trkpt(5.5, 2, minutes(0, milliseconds=1)), trkpt(5.5, 2, minutes(10))],
    "faster than any runner": [trkpt(1, 2, minutes(0)), trkpt(1.1, 2, minutes(5))],
    "no times at all": [trkpt(1, 2), trkpt(1.001, 2)],
}


@pytest.mark.parametrize("case", IMPLAUSIBLE)
def test_what_cannot_be_is_kept_and_not_ranked_and_says_why(person, case):
    """Stored as it is, flagged, on no board."""
    workout = person.upload_one("odd.gpx", gpx_document(IMPLAUSIBLE[case]))
    assert workout["ranked"] is False and workout["unranked_reason"], workout
    assert person.get(f"/workouts/{workout['id']}").status == 200
    board = person.get("/leaderboards/workouts/all/all/around/me").json
    assert board["rank"] is None and not [i for i in board["items"] if i["user_id"] == person.id]


def test_one_point_is_a_workout_without_distance(person):
    """Accepted: distance 0, no speed."""
    workout = person.upload_one("one.gpx", gpx_document([trkpt(1, 2, START)]))
    assert (workout["distance_m"], workout["elapsed_s"], workout["point_count"]) == (0, 0, 1)
    assert workout["average_speed_mps"] is None


def test_five_million_points_are_too_many(person):
    """413 for the file, however well it is packed."""
    point = b'<trkpt lat="1" lon="2"/>'
    compressor = zlib.compressobj(1, zlib.DEFLATED, 31)
    packed = compressor.compress(GPX_OPEN + b"<trk><trkseg>")
    block = point * 1000
    for _ in range(5000):
        packed += compressor.compress(block)
    packed += compressor.compress(b"</trkseg></trk></gpx>") + compressor.flush()
    status, slug, _ = outcome(person, "many.gpx.gz", packed)
    # So many equal points pack so well that the ratio may be what stops it.
    assert (status, slug) in ((413, "too-many-points"), (422, "bad-archive")), (status, slug)


def records(count):
    made = with_file_id(START)
    made.define(1, RECORD, [(253, 4, UINT32), (5, 4, UINT32)])
    for i in range(count):
        made.message(1, [fit_time(START) + i, i * 300])
    return made


def fit_cases():
    whole = records(20)
    good = whole.bytes()
    large = FitFile()
    large.raw(bytes([0x40, 0, 0]) + struct.pack("<HB", RECORD, 255) + bytes([1, 255, 13]) * 255 + b"\x00" * 100)
    return {
        "header of 0 bytes": (b"\x00" + good[1:], 422, "fit-bad-header"),
        "header of 11 bytes": (b"\x0b" + good[1:], 422, "fit-bad-header"),
        "header of 13 bytes": (b"\x0d" + good[1:], 422, "fit-bad-header"),
        "header of 255 bytes": (b"\xff" + good[1:], 422, "fit-bad-header"),
        "no mark": (whole.bytes(mark=b".FAT"), (415, 422), None),
        "larger than the file": (whole.bytes(data_size=10_000), 422, "fit-"),
        "4 GiB of data": (whole.bytes(data_size=0xFFFFFFFF), 422, "fit-"),
        "header checksum": (good[:12] + b"\x12\x34" + good[14:], 422, "fit-bad-crc"),
        "torn inside": (good[:60] + b"\x55" * 20 + good[80:], 422, "fit-"),
        "data without a definition": (FitFile().raw(b"\x05\x01\x02\x03").bytes(), 422, "fit-undefined-message"),
        "definition beyond the end": (large.bytes(), 422, "fit-"),
        "17 sequences": (good * 17, 413, "fit-too-many-sequences"),
        "10000 sequences": (records(1).bytes() * 10_000, 413, "fit-too-many-sequences"),
        "compressed time first": (with_file_id(START).define(1, RECORD, [(3, 1, UINT8)]).raw(b"\xa5\x80").bytes(), 422, None),
        "no records": (with_file_id(START).bytes(), 422, "not-an-activity"),
    }


FIT = fit_cases()


@pytest.mark.parametrize("case", FIT)
def test_hostile_fit_is_refused_by_name(person, case):
    """Headers, checksums, lengths and definitions are believed no further than the bytes go."""
    data, status, slug = FIT[case]
    got = outcome(person, "x.fit", data)
    assert got[0] in (status if isinstance(status, tuple) else (status,)), got
    assert slug is None or got[1].startswith(slug), got
    assert person.items("/workouts") == []


def test_redefinitions_developer_fields_and_garbage_behind_are_no_harm(person):
    """16 x 10,000 redefinitions, a developer field without a description, bytes after the checksum: accepted."""
    made = with_file_id(START)
    for _ in range(10_000):
        for local in range(4, 16):
            made.define(local, RECORD, [(253, 4, UINT32), (5, 4, UINT32)])
    made.raw(bytes([0x60 | 1, 0, 0]) + struct.pack("<HB", RECORD, 2) + bytes([253, 4, UINT32, 5, 4, UINT32]) + bytes([1, 0, 1, 3]))
    for i in range(20):
        made.raw(bytes([1]) + struct.pack("<II", fit_time(START) + i, i * 300) + bytes([9]))
    workout = person.upload_one("redefined.fit", made.bytes() + b"garbage behind the end")
    assert workout["distance_m"] == 57


NOT_ACTIVITIES = {
    "ELF named .fit": ("a.fit", b"\x7fELF" + b"\x00" * 100),
    "PNG named .gpx": ("a.gpx", b"\x89PNG\r\n\x1a\n" + b"\x00" * 100),
    "HTML": ("a.gpx", b"<!doctype html><html></html>"),
    "text": ("a.tcx", b"hello, world\n" * 10),
    "zeros": ("a.fit", b"\x00" * 1000),
}


@pytest.mark.parametrize("case", NOT_ACTIVITIES)
def test_the_type_is_told_by_the_bytes_not_by_the_name(person, case):
    """Unknown magic: 415 at once, and no upload remains."""
    sent = person.upload(NOT_ACTIVITIES[case])
    assert (sent.status, sent.slug) == (415, "unsupported-file-type"), sent
    assert person.items("/uploads") == []


def test_a_wrong_ending_does_not_matter(person):
    """GPX called .fit, a double ending, no ending at all: read as what they are."""
    for number, name in enumerate(("a.fit", "b.gpx.exe", "c")):
        workout = person.upload_one(name, gpx_walk(50 + number))
        assert workout["source"] == "gpx" and workout["distance_m"] == 450 + 9 * number


def test_an_empty_file_and_an_empty_form_are_refused(person):
    """422 that names the field."""
    empty = person.upload(("a.gpx", b""))
    assert empty.status == 422, empty
    body, content_type = multipart([], [("name", "nothing")])
    nothing = person.request("POST", "/uploads", body=body, headers={"Content-Type": content_type})
    assert nothing.status == 422 and nothing.json["field"] == "file", nothing


def encrypted_entry():
    data = bytearray(zip_of([("secret.gpx", gpx_walk(10))], zipfile.ZIP_STORED))
    data[6] |= 1
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    return bytes(data)


def link_entry():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        link = zipfile.ZipInfo("link.gpx")
        link.create_system = 3
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    return out.getvalue()


BAD_ENTRIES = {
    "climbs out": (zip_of([("../up.gpx", gpx_walk(10)), ("good.gpx", gpx_walk(20))]), "up.gpx"),
    "absolute": (zip_of([("/etc/cron.d/x.gpx", gpx_walk(10)), ("good.gpx", gpx_walk(20))]), "x.gpx"),
    "nested archive": (zip_of([("inner.zip", zip_of([("a.gpx", gpx_walk(10))])), ("good.gpx", gpx_walk(20))]), "inner.zip"),
    "nested gzip": (zip_of([("inner.gpx.gz", gzip.compress(gpx_walk(10))), ("good.gpx", gpx_walk(20))]), "inner.gpx.gz"),
    "bomb": (lambda: zip_of([("bomb.gpx", b" " * (300 << 20)), ("good.gpx", gpx_walk(20))]), "bomb.gpx"),
    "no activity": (zip_of([("readme.txt", b"hello, world, this is no activity"), ("good.gpx", gpx_walk(20))]), "readme.txt"),
}


@pytest.mark.parametrize("case", BAD_ENTRIES)
def test_a_bad_entry_of_a_zip_is_refused_and_the_others_imported(person, case):
    """422 that names the entry (415 for what is no activity); the good one is there."""
    archive, bad = BAD_ENTRIES[case]
    archive = archive() if callable(archive) else archive
    upload = person.upload_and_wait(("many.zip", archive))
    refused = [f for f in upload["files"] if f["status"] == "failed"]
    assert len(refused) == 1 and bad in refused[0]["name"] + refused[0]["problem"]["detail"], upload
    slug = refused[0]["problem"]["type"].removeprefix("urn:ekiden:")
    assert slug == ("unsupported-file-type" if case == "no activity" else "bad-archive"), refused
    assert [w["distance_m"] for w in person.items("/workouts")] == [180]


@pytest.mark.parametrize("case, archive", [("encrypted", encrypted_entry()), ("symbolic link", link_entry()),
                                           ("truncated", zip_of([("a.gpx", gpx_walk(10))])[:-10]),
                                           ("10,001 entries", lambda: zip_of([(f"{i}.gpx", b"<") for i in range(10_001)])),
                                           ("a gzip in a gzip", gzip.compress(gzip.compress(gpx_walk(10)))),
                                           ("gzip bomb", lambda: gzip.compress(b" " * (400 << 20)))],
                         ids=lambda value: value if isinstance(value, str) else "")
def test_an_archive_that_is_wrong_as_a_whole_is_refused(person, case, archive):
    """422 bad-archive; nothing of it is kept."""
    status, slug, detail = outcome(person, "an archive", archive)
    assert (status, slug) == (422, "bad-archive") and detail, (case, status, slug, detail)
    assert person.items("/workouts") == []
