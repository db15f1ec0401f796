"""Activity files made up from nothing: exact figures, no real people."""

import datetime
import io
import math
import zipfile
import zlib

EARTH_M = 6371008.8
START = datetime.datetime(2024, 11, 18, 6, 0, 0, tzinfo=datetime.timezone.utc)
TCX_NAMESPACE = "http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2"


def stamp(at):
    """RFC 3339, with Z for UTC and the offset otherwise."""
    text = at.isoformat(timespec="milliseconds" if at.microsecond else "seconds")
    return text.replace("+00:00", "Z")


def metres_per_degree():
    return math.pi * EARTH_M / 180


def gpx_document(points, sport="running", name=None, body_before=""):
    """A GPX file of ready-made <trkpt> texts."""
    title = f"<name>{name}</name>" if name else ""
    return (f'<?xml version="1.0" encoding="UTF-8"?>\n<gpx version="1.1" creator="made up" '
            f'xmlns="http://www.topografix.com/GPX/1/1">{body_before}<trk>{title}<type>{sport}</type><trkseg>\n'
            + "\n".join(points) + "\n</trkseg></trk></gpx>\n").encode()


def trkpt(latitude, longitude, at=None, elevation=None):
    time = f"<time>{stamp(at)}</time>" if at else ""
    height = "" if elevation is None else f"<ele>{elevation}</ele>"
    return f'<trkpt lat="{latitude}" lon="{longitude}">{height}{time}</trkpt>'


def gpx_walk(steps, start=START, step_m=9.0, step_s=3, sport="running", name=None, latitude=10.0, longitude=20.0, climb=None):
    """`steps` steps to the north, each of about `step_m`; `climb(i)` is the elevation of point i."""
    points = []
    for i in range(steps + 1):
        at = start + datetime.timedelta(seconds=i * step_s)
        height = None if climb is None else climb(i)
        points.append(trkpt(f"{latitude + i * step_m / metres_per_degree():.9f}", longitude, at, height))
    return gpx_document(points, sport, name)


def tcx_run(distance_m, duration_s, start=START, sport="Running", calories=None, points=10, laps=1):
    """Laps without positions: distance and timer are the device's own, to the metre and second."""
    out = []
    for lap in range(laps):
        begin = start + datetime.timedelta(seconds=duration_s * lap / laps)
        tracks = []
        for i in range(points):
            share = (lap + i / (points - 1)) / laps
            at = start + datetime.timedelta(seconds=duration_s * share)
            tracks.append(f"<Trackpoint><Time>{stamp(at)}</Time><DistanceMeters>{distance_m * share:.3f}</DistanceMeters>"
                          f"<HeartRateBpm><Value>{120 + i}</Value></HeartRateBpm></Trackpoint>")
        energy = "" if calories is None else f"<Calories>{calories // laps}</Calories>"
        out.append(f'<Lap StartTime="{stamp(begin)}"><TotalTimeSeconds>{duration_s / laps}</TotalTimeSeconds>'
                   f"<DistanceMeters>{distance_m / laps}</DistanceMeters>{energy}<Intensity>Active</Intensity>"
                   f"<TriggerMethod>Manual</TriggerMethod><Track>{''.join(tracks)}</Track></Lap>")
    # A device's Id is what tells one activity from another: different figures, different Id.
    own = start.replace(microsecond=zlib.crc32(f"{distance_m} {duration_s} {sport}".encode()) % 1_000_000)
    return (f'<?xml version="1.0" encoding="UTF-8"?>\n<TrainingCenterDatabase xmlns="{TCX_NAMESPACE}"><Activities>'
            f'<Activity Sport="{sport}"><Id>{own:%Y-%m-%dT%H:%M:%S.%fZ}</Id>{"".join(out)}</Activity></Activities>'
            "</TrainingCenterDatabase>\n").encode()


def zip_of(entries, method=zipfile.ZIP_DEFLATED):
    """A zip of (name, bytes) pairs."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return out.getvalue()
