"""Starts a run from Python, waits for it, and reads its result, however it ended.

    pip install -r requirements.txt
    python start_run.py [assistant] [input] [id]
"""

import asyncio
import json
import os
import sys
import uuid
from datetime import timedelta

from temporalio.client import Client, WorkflowFailureError
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, CancelledError


async def read_result(handle) -> dict:
    """The RunResult (docs/schema/run-result.json) of a run."""
    try:
        return await handle.result()
    except WorkflowFailureError as failure:
        cause = failure.cause
        if isinstance(cause, ApplicationError) and (cause.type or "").startswith("drover."):
            # The run ended other than completed: `drover.<code>`, with the result as its first detail.
            return cause.details[0]
        if isinstance(cause, CancelledError):
            # The close of a cancelled workflow carries nothing: a worker answers for it.
            return await handle.query("result")
        raise


async def main() -> None:
    assistant, text, run_id = (sys.argv[1:] + [None] * 3)[:3]
    client = await Client.connect(os.environ.get("TEMPORAL_ADDRESS", "127.0.0.1:7233"))
    # The input of the workflow is a RunRequest (docs/schema/run-request.json).
    request = {
        "assistant_id": assistant or "support",
        "input": text or "Where is order 1042? Refund it.",
        "context": {"tenant_id": "acme"},
    }
    handle = await client.start_workflow(
        "driveRun",
        request,
        id=run_id or f"python-{uuid.uuid4()}",
        task_queue=os.environ.get("DROVER_TASK_QUEUE", "drover"),
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        task_timeout=timedelta(seconds=5),
    )
    result = await read_result(handle)
    print(json.dumps({"id": handle.id, "code": result["code"], "output_text": result["output_text"]}))


asyncio.run(main())
# A short-lived client may crash Python while it shuts down: temporalio/sdk-python issue 300.
sys.stdout.flush()
os._exit(0)
