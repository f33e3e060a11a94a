"""Training and inference programs take turns on a board through the Fulcrum agent.

    import fulcrum

    for batch in fulcrum.train(loader, workload="resnet18", batch_size=16):
        step(batch)                      # runs in its turn

    batcher = fulcrum.Batcher(infer, workload="mobilenet", batch_sizes=[1, 2, 4, 8])
    answer = batcher.submit(image).result()

Where no agent answers, both say so once and run as if alone; an agent that comes back is found.
The lines on the socket are described in docs/worker-protocol.md.
"""

from ._batcher import Batcher
from ._trainer import Tenant, train

__all__ = ["Batcher", "Tenant", "train"]
