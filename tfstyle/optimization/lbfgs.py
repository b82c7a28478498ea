"""Limited-memory BFGS (L-BFGS) as a Keras optimizer."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from tfstyle.core.typing import Tensor
from tfstyle.images import spectrum
from tfstyle.layers.constraints import ValueRange


@keras.saving.register_keras_serializable(package="tfstyle")
class LBFGS(keras.optimizers.Optimizer):
    """L-BFGS for deterministic objectives, with one evaluation in each step and without line search.

    Each variable has a history of its own: the approximate Hessian is block diagonal, with one block for each
    variable. The history has `history` pairs of steps and changes of the gradient. Pairs without positive curvature
    are left out. Without any pair, as in the first step, the step goes down the gradient by `initial_step`. A step
    whose root mean square exceeds `max_step` is shortened to it, in place of a line search.

    Args:
        learning_rate: Length of a quasi-Newton step; 1 is the step to the minimum of the quadratic model.
        history: Number of pairs. Each takes twice the memory of the variable.
        initial_step: Root mean square of a step down the gradient, in units of the variable (chosen: 1 / 100 of the
            range of pixels).
        max_step: Largest root mean square of a step, in units of the variable (chosen).
        smoothness: For pictures, variables `(batch, height, width, channels)`: the initial inverse Hessian is
            γ / f^smoothness at spatial frequency f, not γ I (chosen: values from 0.5 to 1 do equally well, and need
            a quarter fewer steps than 0).
        boldness: Factor of γ, as the γ of the newest pair tends to be too small (chosen).
        pairs_dtype: Dtype of the pairs, such as `"bfloat16"` to save memory. None for the dtype of the variable.
        name: Name of the optimizer.
        **kwargs: Arguments of every Keras optimizer.

    Reference:
        Nocedal & Wright 2006, "Numerical Optimization", algorithm 7.4 (two-loop recursion) and equation 7.20;
        Bertsekas 1982, "Projected Newton Methods for Optimization Problems with Simple Constraints", for variables
        with a `ValueRange`.

    Examples:
        >>> start = [3.0, -4.0]
        >>> x = keras.Variable(start)
        >>> optimizer = LBFGS(initial_step=0.1)
        >>> optimizer.apply([ops.convert_to_tensor(x)], [x])  # the gradient of (x₀² + x₁²) / 2
        >>> change = ops.convert_to_tensor(x) - start
        >>> round(float(ops.sqrt(ops.mean(ops.square(change)))), 3)  # the first step goes down the gradient
        0.1
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
        """Create the history of each variable."""
        if self.built:
            return
        super().build(variables)
        self.states = [self._state(variable) for variable in variables]
        # `update_step` gets variables of TensorFlow, which have no constraint.
        self._constraints = [getattr(variable, "constraint", None) for variable in variables]

    def _state(self, variable: keras.Variable) -> dict[str, keras.Variable]:
        """The history of one variable, which takes 2 × (history + 1) times its size."""
        rows, dtype = (self.history, *variable.shape), variable.dtype
        kinds = {
            "steps": (rows, self.pairs_dtype or dtype),  # a ring: pair n, from 0, is in row n % history
            "changes": (rows, self.pairs_dtype or dtype),
            "pairs": ((), "int64"),  # number of pairs that were ever kept
            "value": (variable.shape, dtype),  # at the last step
            "gradient": (variable.shape, dtype),  # at the last step
            "unit": ((), dtype),  # factor of gradients; 0 before the first
        }
        return {
            key: self.add_variable(shape=shape, dtype=dtype, name=f"{variable.name}_{key}")
            for key, (shape, dtype) in kinds.items()
        }

    def reset(self) -> None:
        """Forget all steps, so that the next is a first step. The learning rate does not change.

        Pairs are not cleared but ignored, so that it takes no time even for a large variable.
        """
        self._iterations.assign(0)
        for state in self.states if self.built else ():
            state["pairs"].assign(0)
            state["unit"].assign(0.0)
        if self.built and self.gradient_accumulation_steps:
            self._backend_reset_gradient_accumulators()

    def update_step(self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor) -> None:
        """Change a variable by one quasi-Newton step."""
        index = self._get_variable_index(variable)
        state, constraint = self.states[index], self._constraints[index]
        value, gradient = ops.convert_to_tensor(variable), ops.cast(gradient, variable.dtype)
        # Gradients are divided by the size of the first, as float32 can't hold the products of very small ones.
        unit = ops.convert_to_tensor(state["unit"])
        first = ops.equal(unit, 0)
        unit = ops.where(first, _inverse(_root_mean_square(gradient)), unit)
        gradient = gradient * unit

        self._remember(state, value, gradient, first)
        self.assign(state["unit"], unit)
        # The rest starts after that, so that the memory of its temporaries, each as large as the variable, is free.
        with tf.control_dependencies([ops.convert_to_tensor(state["pairs"])]):
            value, gradient = tf.identity(value), tf.identity(gradient)
        free = None
        if isinstance(constraint, ValueRange):
            # Bertsekas 1982: the Newton step in the space of the free variables.
            free = ops.cast(constraint.free(value, gradient), variable.dtype)
            gradient = gradient * free
        direction, curved = self._two_loops(state, gradient, free)
        # Without curvature, or after rounding errors, the step goes down the gradient.
        downhill = ops.logical_and(curved, _dot(direction, gradient) > 0)
        step = tf.cond(
            downhill,
            lambda: direction,
            lambda: self._descent(gradient, free),
        )
        step = ops.cast(learning_rate, variable.dtype) * step
        self.assign_sub(variable, step * ops.minimum(1.0, self.max_step * _inverse(_root_mean_square(step))))

    def _remember(self, state: dict[str, keras.Variable], value: Tensor, gradient: Tensor, first: Tensor) -> None:
        """Replace the oldest pair by the newest, if its curvature is positive, and note value and gradient.

        A pair that is not finite has no positive curvature, as comparisons with NaN and inf > inf are false.
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
        """The row in the ring of the pair that is `age` older than the newest; -1 for the next pair.

        It is computed in int32, which GPUs leave to the CPU like the counters of loops. It is int64 for reading, as
        the ring may have more numbers than int32 can count.
        """
        return ops.cast((ops.cast(pairs, "int32") - 1 - age) % self.history, "int64")

    def _two_loops(self, state: dict[str, keras.Variable], gradient: Tensor, free: Tensor) -> tuple[Tensor, Tensor]:
        """The approximate inverse Hessian times the gradient, and whether any pair has positive curvature.

        Pairs without positive curvature among the free variables are left out. One pair is in memory at a time, as
        the history of a picture is large.

        Args:
            state: History of a variable of any shape.
            gradient: Gradient in that shape, 0 where the variable is not free.
            free: 1 where the variable is free, else 0. None for 1 everywhere.
        """
        pairs = ops.convert_to_tensor(state["pairs"])
        handles = {key: state[key].value.handle for key in ("steps", "changes")}

        def read(key: str, age: Tensor) -> Tensor:
            # `variable[i]` would read, and perhaps copy, all rows.
            row = self._row(pairs, age)
            values = tf.raw_ops.ResourceGather(resource=handles[key], indices=row, dtype=state[key].dtype)
            return ops.cast(values, gradient.dtype)

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

        # From the newest pair, of age 0, to the oldest, and back. One iteration at a time, and the second loop after
        # the first, so that rows are not read before they are needed.
        number = ops.cast(ops.minimum(pairs, self.history), "int32")
        none = ops.zeros(self.history, gradient.dtype)
        age, rest, alphas, curvatures = tf.while_loop(
            lambda age, *_: age < number, back, (0, gradient, none, none), parallel_iterations=1
        )
        newest = ops.argmax(curvatures > 0)  # the first, hence newest, pair of positive curvature
        change = project(read("changes", newest))
        scale = self.boldness * curvatures[newest] * _inverse(_dot(change, self._precondition(change, free)))
        direction = scale * self._precondition(rest, free)
        _, direction = tf.while_loop(lambda age, _: age >= 0, forth, (age - 1, direction), parallel_iterations=1)
        return direction, curvatures[newest] > 0

    def _precondition(self, vector: Tensor, free: Tensor | None) -> Tensor:
        """The initial inverse Hessian, without γ, times a vector that is 0 where the variable is not free."""
        if self.smoothness == 0 or len(vector.shape) != 4:
            return vector
        smooth = spectrum.smoothed(vector, self.smoothness)
        return smooth if free is None else smooth * free

    def _descent(self, gradient: Tensor, free: Tensor | None) -> Tensor:
        """A step down the gradient, by `initial_step`."""
        step = self._precondition(gradient, free)
        return step * (self.initial_step * _inverse(_root_mean_square(step)))

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
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
    """Give a built optimizer the state of a new one; the learning rate does not change."""
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
    """1 / a, or 0 where a is not positive."""
    positive = a > 0
    return ops.where(positive, 1 / ops.where(positive, a, 1.0), 0.0)


def _root_mean_square(a: Tensor) -> Tensor:
    """The root of the mean square, also of numbers whose squares are out of the range of float32."""
    largest = ops.max(ops.abs(a))
    return largest * ops.sqrt(ops.mean(ops.square(a * _inverse(largest))))
