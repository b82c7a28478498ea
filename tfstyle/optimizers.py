"""Limited-memory BFGS as a Keras optimizer, and the range that pixels keep to."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

Tensor = Any


@keras.saving.register_keras_serializable(package="tfstyle")
class ValueRange(keras.constraints.Constraint):
    """A box constraint: values are clipped to [low, high] after each step.

    `LBFGS` knows it: values that rest on a bound, and that the gradient holds there, take no part in its step.

    Args:
        low: The least value.
        high: The greatest value.
    """

    def __init__(self, low: float = 0.0, high: float = 1.0) -> None:
        self.low = low
        self.high = high

    def __call__(self, value: Tensor) -> Tensor:
        """The value within the range."""
        return ops.clip(value, self.low, self.high)

    def free(self, value: Tensor, gradient: Tensor) -> Tensor:
        """Where a step against the gradient can move: a mask of booleans."""
        return ops.logical_not(
            ops.logical_or(
                ops.logical_and(value <= self.low, gradient > 0),
                ops.logical_and(value >= self.high, gradient < 0),
            )
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"low": self.low, "high": self.high}


@keras.saving.register_keras_serializable(package="tfstyle")
class LBFGS(keras.optimizers.Optimizer):
    """L-BFGS for deterministic objectives: one evaluation a step, no line search.

    Each variable has its own history (the approximate Hessian is block diagonal, one block a variable), kept
    as `history` pairs of steps and changes of gradient. The first step goes down the gradient by
    `initial_step`; pairs without positive curvature are left out; a step whose root mean square exceeds
    `max_step` is shortened to it, which stands in for a line search where the model is poor.

    Args:
        learning_rate: Length of a quasi-Newton step; 1 is the step to the model's minimum.
        history: Number of pairs.
        initial_step: Root mean square of the first step, in units of the variable (chosen: 1 / 100 of a
            picture's range).
        max_step: Largest root mean square of a step, in units of the variable (chosen).
        name: Name of the optimizer.
        **kwargs: As for every Keras optimizer.

    Reference:
        Nocedal & Wright 2006, "Numerical Optimization", algorithm 7.4 (two-loop recursion) and equation 7.20;
        Bertsekas 1982, "Projected Newton methods", for variables with a `ValueRange`.
    """

    def __init__(
        self,
        learning_rate: float = 1.0,
        history: int = 20,
        initial_step: float = 0.01,
        max_step: float = 0.1,
        name: str = "lbfgs",
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.history = history
        self.initial_step = initial_step
        self.max_step = max_step

    def build(self, variables: list[keras.Variable]) -> None:
        """Make the history of each variable."""
        if self.built:
            return
        super().build(variables)
        self._states = [self._state(variable) for variable in variables]
        # Steps get TensorFlow's own variables, which know of no constraint.
        self._constraints = [getattr(variable, "constraint", None) for variable in variables]

    def _state(self, variable: keras.Variable) -> dict[str, keras.Variable]:
        size = 1
        for side in variable.shape:
            size *= side
        shapes = {"steps": (self.history, size), "changes": (self.history, size), "value": (size,),
                  "gradient": (size,)}  # fmt: skip
        return {
            key: self.add_variable(shape=shape, dtype=variable.dtype, name=f"{variable.name}_{key}")
            for key, shape in shapes.items()
        }

    def update_step(self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor) -> None:
        """Move `variable` by one quasi-Newton step."""
        index = self._get_variable_index(variable)
        state, constraint = self._states[index], self._constraints[index]
        value = ops.reshape(variable, (-1,))
        gradient = ops.reshape(ops.cast(gradient, variable.dtype), (-1,))
        first = ops.equal(self.iterations, 0)

        self._remember(state, value, gradient, first)
        steps, changes = state["steps"], state["changes"]
        if isinstance(constraint, ValueRange):
            # Bertsekas: Newton's step in the space of the free variables alone.
            free = ops.cast(constraint.free(value, gradient), variable.dtype)
            gradient, steps, changes = gradient * free, steps * free, changes * free
        direction = self._two_loops(gradient, steps, changes)
        tiny = keras.config.epsilon() ** 4
        descent = gradient * (self.initial_step / (_root_mean_square(gradient) + tiny))
        direction = ops.where(first, descent, direction)
        length = learning_rate * _root_mean_square(direction)
        step = learning_rate * direction * ops.minimum(1.0, self.max_step / (length + tiny))
        self.assign_sub(variable, ops.reshape(step, variable.shape))

    def _remember(self, state: dict[str, keras.Variable], value: Tensor, gradient: Tensor, first: Tensor) -> None:
        """Push the newest pair, if its curvature is positive, and note where it was."""
        step, change = value - state["value"], gradient - state["gradient"]
        curved = _dot(step, change) > keras.config.epsilon() * _dot(change, change) ** 0.5 * _dot(step, step) ** 0.5
        keep = ops.logical_and(curved, ops.logical_not(first))
        for key, newest in (("steps", step), ("changes", change)):
            pushed = ops.concatenate([state[key][1:], newest[None]], axis=0)
            self.assign(state[key], ops.where(keep, pushed, state[key]))
        self.assign(state["value"], value)
        self.assign(state["gradient"], gradient)

    def _two_loops(self, gradient: Tensor, steps: Tensor, changes: Tensor) -> Tensor:
        """The inverse Hessian's approximation times the gradient; pairs not yet filled are zero and drop out."""
        steps = [steps[i] for i in range(self.history)]
        changes = [changes[i] for i in range(self.history)]
        curvatures = [_dot(s, y) for s, y in zip(steps, changes, strict=True)]
        inverse = [ops.where(c > 0, 1 / ops.where(c > 0, c, 1.0), 0.0) for c in curvatures]
        alphas = [0.0] * self.history
        q = gradient
        for i in reversed(range(self.history)):
            alphas[i] = inverse[i] * _dot(steps[i], q)
            q = q - alphas[i] * changes[i]
        square = _dot(changes[-1], changes[-1])
        q = q * ops.where(square > 0, curvatures[-1] / ops.where(square > 0, square, 1.0), 1.0)
        for i in range(self.history):
            q = q + steps[i] * (alphas[i] - inverse[i] * _dot(changes[i], q))
        return q

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "history": self.history,
            "initial_step": self.initial_step,
            "max_step": self.max_step,
        }


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return ops.sum(a * b)


def _root_mean_square(a: Tensor) -> Tensor:
    return ops.sqrt(ops.mean(ops.square(a)))
