"""What the boards must say, computed from the files alone: a second reading of the definitions, in plain Python."""

import datetime
import math
import xml.etree.ElementTree as ElementTree
from collections import defaultdict

from harness.files import EARTH_M, TCX_NAMESPACE

METRICS = ("distance", "moving_time", "elevation_gain", "workouts", "points")
POINTS_PER_MINUTE = {"run": 10, "ride": 6, "walk": 4}
GPX = "{http://www.topografix.com/GPX/1/1}"
TCX = "{" + TCX_NAMESPACE + "}"
SPORTS = {"running": "run", "Running": "run", "cycling": "ride", "Biking": "ride", "walking": "walk"}
MOVING_MPS = {"run": 1 / 3.6, "ride": 1 / 3.6, "walk": 0.1 / 3.6}


def half_up(value):
    return math.floor(value + 0.5)


def haversine_m(a, b):
    lat_a, lon_a, lat_b, lon_b = map(math.radians, (*a, *b))
    h = math.sin((lat_b - lat_a) / 2) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    return 2 * EARTH_M * math.asin(math.sqrt(h))


def mean5(values):
    return [sum(values[max(0, i - 2):i + 3]) / len(values[max(0, i - 2):i + 3]) for i in range(len(values))]


def climbed_m(heights, threshold_m=1.0):
    """Mean of 5 samples, then a rise counts once it is more than the threshold away from the reference."""
    gain, reference = 0.0, None
    for height in mean5(heights):
        if reference is None:
            reference = height
        elif abs(height - reference) > threshold_m:
            gain += max(0.0, height - reference)
            reference = height
    return gain


def read_gpx(data, sport=None):
    track = ElementTree.fromstring(data).find(f"{GPX}trk")
    sport = sport or SPORTS[track.findtext(f"{GPX}type")]
    points = track.findall(f"{GPX}trkseg/{GPX}trkpt")
    places = [(float(p.get("lat")), float(p.get("lon"))) for p in points]
    times = [datetime.datetime.fromisoformat(p.findtext(f"{GPX}time").replace("Z", "+00:00")) for p in points]
    heights = [float(p.findtext(f"{GPX}ele")) for p in points if p.find(f"{GPX}ele") is not None]
    distance, moving = 0.0, 0.0
    for i in range(1, len(points)):
        step_m, step_s = haversine_m(places[i - 1], places[i]), (times[i] - times[i - 1]).total_seconds()
        distance += step_m
        moving += step_s if step_m > MOVING_MPS[sport] * step_s else 0
    return {"sport": sport, "start": times[0], "end": times[-1], "distance_m": half_up(distance), "moving_s": int(moving),
            "elevation_gain_m": half_up(climbed_m(heights)) if heights else 0}


def read_tcx(data, sport=None):
    activity = ElementTree.fromstring(data).find(f"{TCX}Activities/{TCX}Activity")
    laps = activity.findall(f"{TCX}Lap")
    times = [datetime.datetime.fromisoformat(t.text.replace("Z", "+00:00")) for t in activity.iter(f"{TCX}Time")]
    elapsed = (times[-1] - times[0]).total_seconds()
    timer = sum(float(lap.findtext(f"{TCX}TotalTimeSeconds")) for lap in laps)
    distance = sum(float(lap.findtext(f"{TCX}DistanceMeters")) for lap in laps)
    return {"sport": sport or SPORTS[activity.get("Sport")], "start": times[0], "end": times[-1], "distance_m": half_up(distance),
            "moving_s": int(min(timer, elapsed)), "elevation_gain_m": 0}


def read(name, data, sport=None):
    """What a file gives. `sport`: where the person says that it was another one than the file does."""
    return read_gpx(data, sport) if name.endswith(".gpx") else read_tcx(data, sport)


def periods_of(date):
    year, week, _ = date.isocalendar()
    return [date.isoformat(), f"{year}-W{week:02}", f"{date:%Y-%m}", f"{date:%Y}", "all"]


def board_of(workouts):
    """(metric, sport, period) -> rows (user id, score, reached at) in the board's order.
    `workouts`: (user id, what `read` answers, with the sport that counts)."""
    scores = defaultdict(int)
    reached = {}
    for user, workout in workouts:
        amounts = {"distance": workout["distance_m"], "moving_time": workout["moving_s"],
                   "elevation_gain": workout["elevation_gain_m"], "workouts": 1,
                   "points": workout["moving_s"] * POINTS_PER_MINUTE[workout["sport"]] // 60 + workout["elevation_gain_m"]}
        for period in periods_of(workout["start"].date()):
            for sport in ("all", workout["sport"]):
                for metric in METRICS:
                    if amounts[metric] > 0:
                        key = (metric, sport, period), user
                        scores[key] += amounts[metric]
                        reached[key] = max(reached.get(key, workout["end"]), workout["end"])
    boards = defaultdict(list)
    for (board, user), score in scores.items():
        boards[board].append((user, score, reached[board, user]))
    for rows in boards.values():
        rows.sort(key=lambda row: (-row[1], row[2], row[0]))
    return dict(boards)
