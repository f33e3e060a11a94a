"""Answers requests in minibatches, when it is this program's turn."""

import random
import sys
import time

import fulcrum

REQUESTS = int(sys.argv[1]) if len(sys.argv) > 1 else 100


def infer(points):
    """One minibatch: on which side of a line each point lies."""
    return [2 * x - y > 0.1 for x, y in points]


def main():
    def point():
        return (random.uniform(-1, 1), random.uniform(-1, 1))

    # With samples the agent can measure this program while no request waits.
    batcher = fulcrum.Batcher(infer, workload="line", batch_sizes=[1, 2, 4, 8], sample=point)
    pending = []
    for _ in range(REQUESTS):
        time.sleep(random.expovariate(100))
        pending.append(batcher.submit(point()))
    above = sum(answer.result(timeout=10) for answer in pending)
    print(f"{above} of {len(pending)} above the line")
    batcher.close()


if __name__ == "__main__":
    main()
