"""A peer: what a workout service commonly is in Python. FastAPI takes the form, gpxpy reads the file, asyncpg writes.

It does less than Ekiden: it keeps neither the original nor laps, splits and best efforts, and asks nobody who they are."""

import array
import os
import uuid

import asyncpg
import fastapi
import gpxpy

app = fastapi.FastAPI()
SCHEMA = """CREATE TABLE IF NOT EXISTS workouts (
  id uuid PRIMARY KEY, owner bigint NOT NULL, started_at timestamptz, distance_m float8, moving_s float8, climb_m float8,
  descent_m float8, max_speed_mps float8, mean_heart_rate float8, points integer, track bytea)"""
INSERT = "INSERT INTO workouts VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"


@app.on_event("startup")
async def connect():
    app.state.pool = await asyncpg.create_pool(host="127.0.0.1", port=int(os.environ["POSTGRES_PORT"]), user="postgres",
                                               database="postgres", min_size=2, max_size=8)
    await app.state.pool.execute(SCHEMA)


@app.get("/health")
async def health():
    return {"status": "ok"}


def heart_rates(points):
    for point in points:
        for extension in point.extensions:
            for child in extension:
                if child.tag.endswith("}hr"):
                    yield int(child.text)


@app.post("/workouts", status_code=201)
async def create(file: fastapi.UploadFile = fastapi.File(...)):
    gpx = gpxpy.parse(await file.read())
    points = list(gpx.walk(only_points=True))
    moving, climb = gpx.get_moving_data(), gpx.get_uphill_downhill()
    rates = list(heart_rates(points))
    track = array.array("d", (value for p in points for value in (p.latitude, p.longitude, p.elevation))).tobytes()
    workout = uuid.uuid4()
    async with app.state.pool.acquire() as connection:
        await connection.execute(INSERT, workout, 1, points[0].time, gpx.length_2d(), moving.moving_time, climb.uphill,
                                 climb.downhill, moving.max_speed, sum(rates) / max(1, len(rates)), len(points), track)
    return {"id": str(workout), "distance_m": moving.moving_distance, "points": len(points)}
