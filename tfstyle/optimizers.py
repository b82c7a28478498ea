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
    as `history` pairs of steps and changes of gradient. Pairs without positive curvature are left out, and
    where there are no others, as at the first step, it goes down the gradient by `initial_step`; a step whose
    root mean square exceeds `max_step` is shortened to it, which stands in for a line search where the model
    is poor.

    Args:
        learning_rate: Length of a quasi-Newton step; 1 is the step to the model's minimum.
        history: Number of pairs.
        initial_step: Root mean square of a step down the gradient, in units of the variable (chosen: 1 / 100 of a
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
        shapes = {
            "steps": (self.history, size),
            "changes": (self.history, size),
            "value": (size,),
            "gradient": (size,),
            "unit": (),
        }
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
        # The method doesn't mind the scale of the loss, but float32 does: gradients are measured by the first.
        self.assign(state["unit"], ops.where(first, _inverse(_root_mean_square(gradient)), state["unit"]))
        gradient = gradient * state["unit"]

        self._remember(state, value, gradient, first)
        steps, changes = state["steps"], state["changes"]
        if isinstance(constraint, ValueRange):
            # Bertsekas: Newton's step in the space of the free variables alone.
            free = ops.cast(constraint.free(value, gradient), variable.dtype)
            gradient, steps, changes = gradient * free, steps * free, changes * free
        direction, curved = self._two_loops(gradient, steps, changes)
        # Without curvature, or where rounding has spoilt it, the step goes down the gradient.
        downhill = ops.logical_and(curved, _dot(direction, gradient) > 0)
        descent = gradient * (self.initial_step * _inverse(_root_mean_square(gradient)))
        step = learning_rate * ops.where(downhill, direction, descent)
        step = step * ops.minimum(1.0, self.max_step * _inverse(_root_mean_square(step)))
        self.assign_sub(variable, ops.reshape(step, variable.shape))

    def _remember(self, state: dict[str, keras.Variable], value: Tensor, gradient: Tensor, first: Tensor) -> None:
        """Push the newest pair, if its curvature is positive, and note where it was."""
        step, change = value - state["value"], gradient - state["gradient"]
        least = keras.config.epsilon() * (_dot(change, change) * _dot(step, step)) ** 0.5
        keep = ops.logical_and(_dot(step, change) > least, ops.logical_not(first))
        for key, newest in (("steps", step), ("changes", change)):
            pushed = ops.concatenate([state[key][1:], newest[None]], axis=0)
            self.assign(state[key], ops.where(keep, pushed, state[key]))
        self.assign(state["value"], value)
        self.assign(state["gradient"], gradient)

    def _two_loops(self, gradient: Tensor, steps: Tensor, changes: Tensor) -> tuple[Tensor, Tensor]:
        """The inverse Hessian's approximation times the gradient, and whether there is any curvature in it.

        Pairs without positive curvature, as those not yet filled, drop out.
        """
        pairs = [(steps[i], changes[i]) for i in range(self.history)]
        curvatures = [_dot(step, change) for step, change in pairs]
        inverses = [_inverse(curvature) for curvature in curvatures]
        scale, curved = ops.zeros_like(curvatures[0]), ops.convert_to_tensor(False)
        for curvature, (_, change) in zip(curvatures, pairs, strict=True):  # the newest that counts has the word
            scale = ops.where(curvature > 0, curvature * _inverse(_dot(change, change)), scale)
            curved = ops.logical_or(curved, curvature > 0)
        alphas = []
        for inverse, (step, change) in zip(reversed(inverses), reversed(pairs), strict=True):
            alphas.append(inverse * _dot(step, gradient))
            gradient = gradient - alphas[-1] * change
        direction = gradient * scale
        for inverse, alpha, (step, change) in zip(inverses, reversed(alphas), pairs, strict=True):
            direction = direction + step * (alpha - inverse * _dot(change, direction))
        return direction, curved

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


def _inverse(a: Tensor) -> Tensor:
    """1 / a, and 0 where a isn't positive."""
    positive = a > 0
    return ops.where(positive, 1 / ops.where(positive, a, 1.0), 0.0)


def _root_mean_square(a: Tensor) -> Tensor:
    """The root of the mean square, of numbers whose squares float32 may not hold."""
    largest = ops.max(ops.abs(a))
    return largest * ops.sqrt(ops.mean(ops.square(a * _inverse(largest))))
