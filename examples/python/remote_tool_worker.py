"""The worker of one remote tool: an activity of the tool's name, on the task queue of its definition.

    pip install -r requirements.txt
    python remote_tool_worker.py
"""

import asyncio
import json
import os

from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

PLACES = {"Ulm": (48.4, 10.0), "Berlin": (52.5, 13.4)}


@activity.defn(name="geocode")
async def geocode(call: dict) -> str:
    """Its one argument is a ToolInput (docs/schema/tool-input.json); it returns what the model reads."""
    city = json.loads(call["arguments"])["city"]
    if city not in PLACES:
        # The model reads `output`; `effect` says whether the tool acted before it failed.
        output = f"There is no city {city} on this map."
        raise ApplicationError(
            "unknown city", {"output": output, "effect": "none"}, type="drover.tool_failed", non_retryable=True
        )
    latitude, longitude = PLACES[city]
    # call["idempotency_key"] is the same for every try of one effect: hand it to the system that acts.
    return json.dumps({"city": city, "latitude": latitude, "longitude": longitude})


async def main() -> None:
    client = await Client.connect(os.environ.get("TEMPORAL_ADDRESS", "127.0.0.1:7233"))
    task_queue = os.environ.get("PYTHON_TASK_QUEUE", "python-tools")
    async with Worker(client, task_queue=task_queue, activities=[geocode]):
        print(f"working on {task_queue}", flush=True)
        await asyncio.Event().wait()


try:
    asyncio.run(main())
except KeyboardInterrupt:
    pass
