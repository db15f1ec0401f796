"""A peer: what a service of ranks commonly is in Python. A Django view asks a sorted set in Redis."""

import os

import redis
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path

settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="of a benchmark", LOGGING_CONFIG=None,
                   MIDDLEWARE=["django.middleware.common.CommonMiddleware"])
board = redis.Redis(host="127.0.0.1", port=int(os.environ["REDIS_PORT"]))


def rank(_, person):
    return JsonResponse({"user_id": person, "rank": board.zrevrank("board", person) + 1,
                         "score": board.zscore("board", person)})


def health(_):
    return JsonResponse({"status": "ok"})


urlpatterns = [path("ranks/<str:person>", rank), path("health", health)]
application = get_wsgi_application()
