"""An ordinary training loop that takes turns: the lines that differ are marked.

Runs with PyTorch where it is installed, and else with a small model of its own.
"""

import random
import sys

import fulcrum  # changed

try:
    import torch
except ImportError:
    torch = None

BATCH_SIZE = 16
STEPS = int(sys.argv[1]) if len(sys.argv) > 1 else 200


def samples():
    """Points whose label says on which side of a line they lie."""
    random.seed(1)
    for _ in range(STEPS):
        batch = [(random.uniform(-1, 1), random.uniform(-1, 1)) for _ in range(BATCH_SIZE)]
        yield batch, [1.0 if 2 * x - y > 0.1 else 0.0 for x, y in batch]


def main():
    losses = []
    if torch is not None:
        model = torch.nn.Sequential(torch.nn.Linear(2, 32), torch.nn.ReLU(), torch.nn.Linear(32, 1))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        loss_of = torch.nn.BCEWithLogitsLoss()
        for inputs, labels in fulcrum.train(samples(), workload="line", batch_size=BATCH_SIZE):  # changed
            optimizer.zero_grad()
            loss = loss_of(model(torch.tensor(inputs)).squeeze(1), torch.tensor(labels))
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    else:
        weights = [0.0, 0.0, 0.0]
        for inputs, labels in fulcrum.train(samples(), workload="line", batch_size=BATCH_SIZE):  # changed
            loss = 0.0
            for (x, y), label in zip(inputs, labels):
                error = weights[0] * x + weights[1] * y + weights[2] - label
                loss += error * error / BATCH_SIZE
                for place, value in enumerate((x, y, 1.0)):
                    weights[place] -= 0.1 * error * value / BATCH_SIZE
            losses.append(loss)
    tenth = max(1, len(losses) // 10)
    print(f"loss {sum(losses[:tenth]) / tenth:.3f} -> {sum(losses[-tenth:]) / tenth:.3f}")


if __name__ == "__main__":
    main()
