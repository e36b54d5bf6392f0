#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints what happens on a farm, as it happens: pyzmq, msgpack, ten lines."""
import os, json, urllib.request, msgpack, zmq
broker = os.environ.get("FRAMEQ_BROKER", "http://127.0.0.1:4000")
farm = json.load(urllib.request.urlopen(f"{broker}/v1/farm"))
feed = zmq.Context().socket(zmq.SUB)
feed.connect(f"tcp://{broker.split('/')[2].split(':')[0]}:{farm['ports']['feed']}")
feed.subscribe(b"")  # or b"job/<id>/", b"agent/<name>/"
while True:
    topic, event = feed.recv_multipart()
    print(topic.decode(), json.dumps(msgpack.unpackb(event)), flush=True)
