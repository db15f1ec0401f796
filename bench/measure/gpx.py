"""Recordings made up from nothing, of a given size: a run with height, time, heart rate and cadence each second."""

import datetime
import math
import random

START = datetime.datetime(2015, 1, 1, 6, 30, tzinfo=datetime.timezone.utc)
HEAD = ('<?xml version="1.0" encoding="UTF-8"?>\n<gpx version="1.1" creator="Ekiden bench" '
        'xmlns="http://www.topografix.com/GPX/1/1" '
        'xmlns:tp="http://www.garmin.com/xmlschemas/TrackPointExtension/v1">\n <trk>\n'
        '  <name>Along the river</name>\n  <type>running</type>\n  <trkseg>\n')
TAIL = "  </trkseg>\n </trk>\n</gpx>\n"


def run(size, seed=1):
    """About `size` bytes of GPX that begin at START and end on the same day, whatever `size` is up to 20 MB."""
    draw = random.Random(seed)
    latitude, longitude, height, heading, heart = 48.137, 11.575, 510.0, 0.4, 120.0
    points, length, at = [HEAD], len(HEAD) + len(TAIL), START
    while length < size:
        heading += draw.gauss(0, 0.08)
        latitude += 2.9 * math.cos(heading) / 111_195
        longitude += 2.9 * math.sin(heading) / (111_195 * math.cos(math.radians(latitude)))
        height += draw.gauss(0, 0.15)
        heart = min(185.0, max(95.0, heart + draw.gauss((150 - heart) * 0.01, 0.7)))
        points.append(
            f'   <trkpt lat="{latitude:.7f}" lon="{longitude:.7f}">\n    <ele>{height:.1f}</ele>\n'
            f"    <time>{at:%Y-%m-%dT%H:%M:%SZ}</time>\n    <extensions>\n     <tp:TrackPointExtension>\n"
            f"      <tp:hr>{heart:.0f}</tp:hr>\n      <tp:cad>{84 + draw.randint(-3, 3)}</tp:cad>\n"
            "     </tp:TrackPointExtension>\n    </extensions>\n   </trkpt>\n")
        length += len(points[-1])
        at += datetime.timedelta(seconds=1)
    assert at.date() == START.date(), "too many points for one day"
    return ("".join(points) + TAIL).encode()


def on_day(recording, day):
    """The same recording, `day` days later: another workout, other bytes, the same work for a reader."""
    date = START + datetime.timedelta(days=day)
    return recording.replace(f"{START:%Y-%m-%d}T".encode(), f"{date:%Y-%m-%d}T".encode())


def large(size):
    """As `run`, but over many days and quickly made: for a file of 100 MB."""
    points, length, i = [HEAD], len(HEAD) + len(TAIL), 0
    while length < size:
        at = START + datetime.timedelta(seconds=i)
        points.append(f'   <trkpt lat="{10 + i * 1e-5:.7f}" lon="20.0000000">\n    <ele>{100 + i % 50}.0</ele>\n'
                      f"    <time>{at.isoformat()[:19]}Z</time>\n   </trkpt>\n")
        length += len(points[-1])
        i += 1
    return ("".join(points) + TAIL).encode()
