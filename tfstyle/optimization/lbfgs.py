"""Limited-memory BFGS as a Keras optimizer, and the range that pixels keep to."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from tfstyle.images import spectrum
from tfstyle.layers.constraints import ValueRange

Tensor = Any


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
        history: Number of pairs; in memory, each takes twice the variable's size.
        initial_step: Root mean square of a step down the gradient, in units of the variable (chosen: 1 / 100 of a
            picture's range).
        max_step: Largest root mean square of a step, in units of the variable (chosen).
        smoothness: For pictures, which is variables `(batch, height, width, channels)`: the inverse Hessian before
            any pair has its say is not γ I but γ / f^smoothness at spatial frequency f (chosen: 0.5 to 1 do as well,
            and need a quarter fewer steps than 0).
        boldness: Factor of γ, which by the newest pair alone is on the short side (chosen).
        pairs_dtype: Of the pairs, where memory matters more than their last digits, as `"bfloat16"`; None for the
            variable's.
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
        smoothness: float = 0.75,
        boldness: float = 2.0,
        pairs_dtype: str | None = None,
        name: str = "lbfgs",
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.history = history
        self.initial_step = initial_step
        self.max_step = max_step
        self.smoothness = smoothness
        self.boldness = boldness
        self.pairs_dtype = pairs_dtype

    def build(self, variables: list[keras.Variable]) -> None:
        """Make the history of each variable."""
        if self.built:
            return
        super().build(variables)
        self.states = [self._state(variable) for variable in variables]
        # Steps get TensorFlow's own variables, which know of no constraint.
        self._constraints = [getattr(variable, "constraint", None) for variable in variables]

    def _state(self, variable: keras.Variable) -> dict[str, keras.Variable]:
        """What is known of one variable: 2 × (history + 1) times its size, in its own shape."""
        rows, dtype = (self.history, *variable.shape), variable.dtype
        kinds = {
            "steps": (rows, self.pairs_dtype or dtype),  # a ring: the n-th pair, from 0, is in row n % history
            "changes": (rows, self.pairs_dtype or dtype),
            "pairs": ((), "int64"),  # number of pairs ever kept
            "value": (variable.shape, dtype),  # at the last step
            "gradient": (variable.shape, dtype),
            "unit": ((), dtype),  # of gradients; 0 until there has been one to measure by
        }
        return {
            key: self.add_variable(shape=shape, dtype=dtype, name=f"{variable.name}_{key}")
            for key, (shape, dtype) in kinds.items()
        }

    def reset(self) -> None:
        """Forget all steps, so that the next is the first again; the learning rate stays as it is.

        Pairs aren't cleared, but no longer looked at: it costs the same whatever the size.
        """
        self._iterations.assign(0)
        for state in self.states if self.built else ():
            state["pairs"].assign(0)
            state["unit"].assign(0.0)
        if self.built and self.gradient_accumulation_steps:
            self._backend_reset_gradient_accumulators()

    def update_step(self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor) -> None:
        """Move `variable` by one quasi-Newton step."""
        index = self._get_variable_index(variable)
        state, constraint = self.states[index], self._constraints[index]
        value, gradient = ops.convert_to_tensor(variable), ops.cast(gradient, variable.dtype)
        # The method doesn't mind the scale of the loss, but float32 does: gradients are measured by the first.
        unit = ops.convert_to_tensor(state["unit"])
        first = ops.equal(unit, 0)
        unit = ops.where(first, _inverse(_root_mean_square(gradient)), unit)
        gradient = gradient * unit

        self._remember(state, value, gradient, first)
        self.assign(state["unit"], unit)
        # What follows begins when that is done, and its temporaries, each of the variable's size, are given back.
        with tf.control_dependencies([ops.convert_to_tensor(state["pairs"])]):
            value, gradient = tf.identity(value), tf.identity(gradient)
        free = None
        if isinstance(constraint, ValueRange):
            # Bertsekas: Newton's step in the space of the free variables alone.
            free = ops.cast(constraint.free(value, gradient), variable.dtype)
            gradient = gradient * free
        direction, curved = self._two_loops(state, gradient, free)
        # Without curvature, or where rounding has spoilt it, the step goes down the gradient.
        downhill = ops.logical_and(curved, _dot(direction, gradient) > 0)
        step = tf.cond(
            downhill,
            lambda: direction,
            lambda: self._descent(gradient, free),
        )
        step = ops.cast(learning_rate, variable.dtype) * step
        self.assign_sub(variable, step * ops.minimum(1.0, self.max_step * _inverse(_root_mean_square(step))))

    def _remember(self, state: dict[str, keras.Variable], value: Tensor, gradient: Tensor, first: Tensor) -> None:
        """Write the newest pair over the oldest, if its curvature is positive, and note where it was.

        A pair that isn't finite has no positive curvature, as no comparison with NaN holds, nor inf > inf.
        """
        step, change = value - state["value"], gradient - state["gradient"]
        least = keras.config.epsilon() * (_dot(change, change) * _dot(step, step)) ** 0.5
        keep = ops.logical_and(_dot(step, change) > least, ops.logical_not(first))

        def write() -> None:
            row = self._row(state["pairs"], -1)[None]
            for key, newest in (("steps", step), ("changes", change)):
                self.assign(state[key], tf.IndexedSlices(ops.cast(newest[None], state[key].dtype), row))
            self.assign_add(state["pairs"], 1)

        tf.cond(keep, write, lambda: None)
        self.assign(state["value"], value)
        self.assign(state["gradient"], gradient)

    def _row(self, pairs: Tensor, age: Tensor) -> Tensor:
        """Where in the ring the pair is that came `age` before the newest; for -1, where the next goes."""
        # Computed in int32, which GPUs leave to the CPU with the loops' counters; read in int64, as there may be
        # more numbers in the ring than int32 can count.
        return ops.cast((ops.cast(pairs, "int32") - 1 - age) % self.history, "int64")

    def _two_loops(self, state: dict[str, keras.Variable], gradient: Tensor, free: Tensor) -> tuple[Tensor, Tensor]:
        """The inverse Hessian's approximation times the gradient, and whether there is any curvature in it.

        Pairs without positive curvature among the free variables drop out. One pair is in memory at a time:
        for a picture, the history is most of what there is room for.

        Args:
            state: Of a variable of any shape.
            gradient: In that shape, and 0 where the variable isn't free.
            free: 1 where it is, 0 where not; None for everywhere 1.
        """
        pairs = ops.convert_to_tensor(state["pairs"])
        handles = {key: state[key].value.handle for key in ("steps", "changes")}

        def read(key: str, age: Tensor) -> Tensor:
            # Not `variable[i]`, which reads, and may copy, the whole.
            row = self._row(pairs, age)
            found = tf.raw_ops.ResourceGather(resource=handles[key], indices=row, dtype=state[key].dtype)
            return ops.cast(found, gradient.dtype)

        def project(vector: Tensor) -> Tensor:
            return vector if free is None else vector * free

        def back(age: Tensor, rest: Tensor, alphas: Tensor, curvatures: Tensor) -> tuple[Tensor, ...]:
            step, change = read("steps", age), project(read("changes", age))
            curvature = _dot(step, change)
            alpha = _inverse(curvature) * _dot(step, rest)
            alphas = tf.tensor_scatter_nd_update(alphas, [[age]], [alpha])
            curvatures = tf.tensor_scatter_nd_update(curvatures, [[age]], [curvature])
            return age + 1, rest - alpha * change, alphas, curvatures

        def forth(age: Tensor, direction: Tensor) -> tuple[Tensor, ...]:
            step, change = project(read("steps", age)), read("changes", age)
            beta = _inverse(curvatures[age]) * _dot(change, direction)
            return age - 1, direction + step * (alphas[age] - beta)

        # From the newest, of age 0, to the oldest, and back; one iteration at a time, and the second loop from where
        # the first ends, or rows would be read long before they are needed.
        number = ops.cast(ops.minimum(pairs, self.history), "int32")
        none = ops.zeros(self.history, gradient.dtype)
        age, rest, alphas, curvatures = tf.while_loop(
            lambda age, *_: age < number, back, (0, gradient, none, none), parallel_iterations=1
        )
        newest = ops.argmax(curvatures > 0)  # the first that is: the newest that counts
        change = project(read("changes", newest))
        scale = self.boldness * curvatures[newest] * _inverse(_dot(change, self._guess(change, free)))
        direction = scale * self._guess(rest, free)
        _, direction = tf.while_loop(lambda age, _: age >= 0, forth, (age - 1, direction), parallel_iterations=1)
        return direction, curvatures[newest] > 0

    def _guess(self, vector: Tensor, free: Tensor | None) -> Tensor:
        """What the inverse Hessian is like before any pair has its say, times a vector that is 0 where not free."""
        if self.smoothness == 0 or len(vector.shape) != 4:
            return vector
        smooth = spectrum.smoothed(vector, self.smoothness)
        return smooth if free is None else smooth * free

    def _descent(self, gradient: Tensor, free: Tensor | None) -> Tensor:
        """A step down the gradient, by `initial_step`."""
        step = self._guess(gradient, free)
        return step * (self.initial_step * _inverse(_root_mean_square(step)))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "history": self.history,
            "initial_step": self.initial_step,
            "max_step": self.max_step,
            "smoothness": self.smoothness,
            "boldness": self.boldness,
            "pairs_dtype": self.pairs_dtype,
        }


def reset(optimizer: keras.optimizers.Optimizer) -> None:
    """Give a built optimizer the state of a new one."""
    if isinstance(optimizer, LBFGS):
        optimizer.reset()
        return
    rate = optimizer.learning_rate
    fresh = type(optimizer).from_config(optimizer.get_config())
    fresh.build(optimizer._trainable_variables)
    for old, new in zip(optimizer.variables, fresh.variables, strict=True):
        old.assign(new)
    if not callable(rate):
        optimizer.learning_rate = rate


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
