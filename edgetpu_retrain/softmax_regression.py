# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
SoftmaxRegression: the last layer of a classifier, trained on the device.

It has the methods of both generations of Coral's class: ``edgetpu.learn.backprop``, which saves
the model to a file, and ``pycoral.learn.backprop``, which returns its bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
import math
from pathlib import Path

from edgetpu_retrain.learning import accuracy, arguments, Head, IntArray, Progress
from edgetpu_retrain.learning.arrays import FloatArray
from edgetpu_retrain.learning.sgd.blas_threads import one_blas_thread
from edgetpu_retrain.learning.sgd.loop import run_training_loop
from edgetpu_retrain.learning.sgd.sampling import batches
from edgetpu_retrain.learning.sgd.step import SgdStep
from edgetpu_retrain.learning.sgd.weights import CoralParameters, SoftmaxParameters
import numpy as np
import numpy.typing as npt

_REPORT = 'iter {} loss {:.6f} train_acc {:.4f} val_acc {:.4f}'
_REPORT_WITHOUT_VALIDATION = 'iter {} loss {:.6f} train_acc {:.4f}'


class SoftmaxRegression(SoftmaxParameters):
    """
    Softmax regression (multinomial logistic regression) on image embeddings.

    An embedding extractor turns an image into an embedding; this layer, fully connected and
    followed by a softmax, turns the embedding into class probabilities.  Only this layer is
    trained, with stochastic gradient descent on the cross-entropy.  In the retrained model, this
    layer always runs on the CPU, even if the extractor runs on an Edge TPU.  See Stanford CS231n,
    'Softmax classifier'.

    Labels are class indices, integer ``[N]``, or one-hot rows ``[N, C]``.  Embeddings are real
    numbers (dequantized) and are converted to float32.

    Args:
        feature_dim: D, the length of an embedding; None = that of the first training data.
        num_classes: C, 2 or more; None = as in the first training data: the width of one-hot
            labels, or the highest index plus one.
        weight_scale: initial weights are drawn from a normal distribution with this standard
            deviation.
        reg: strength of the regularization: ``0.5 * reg * sum(weights ** 2)`` is added to the
            loss.  The bias is not regularized.
        seed: random seed of initial weights and batches, 0 or more; None = different each time.

    Raises:
        ValueError: if an argument is out of range.

    >>> from edgetpu_retrain import SoftmaxRegression
    >>> rng = np.random.default_rng(0)
    >>> labels = rng.integers(0, 3, 300)
    >>> embeddings = 6.0 * np.eye(8)[labels] + rng.standard_normal((300, 8))
    >>> data = {'data_train': embeddings[:200], 'labels_train': labels[:200],
    ...         'data_val': embeddings[200:], 'labels_val': labels[200:]}
    >>> model = SoftmaxRegression(seed=0)
    >>> model.train_with_sgd(data, num_iter=200, learning_rate=0.1, print_every=0)
    >>> print(f"accuracy: {model.get_accuracy(data['data_val'], data['labels_val']):.0%}")
    accuracy: 100%
    >>> model.run_inference(6.0 * np.eye(8)[2])
    2
    """

    def __init__(
        self,
        feature_dim: int | None = None,
        num_classes: int | None = None,
        weight_scale: float = 0.01,
        reg: float = 0.0,
        *,
        seed: int | None = None,
    ) -> None:
        if seed is not None:
            seed = arguments.whole_number(seed, 'seed', minimum=0)
        self._reg = arguments.real_number(reg, 'reg')
        super().__init__(feature_dim, num_classes, weight_scale, np.random.default_rng(seed))

    @property
    def reg(self) -> float:
        """Strength of the regularization."""
        return self._reg

    @property
    def params(self) -> MutableMapping[str, FloatArray]:
        """Weights ``'mat_w'`` and bias ``'vec_b'``, as Coral's class names them."""
        return CoralParameters(self)

    @property
    def min_score(self) -> float:
        """Smallest logit that the quantized layer represents; see :attr:`logit_range`."""
        return self.logit_range[0]

    @property
    def max_score(self) -> float:
        """Largest logit that the quantized layer represents; see :attr:`logit_range`."""
        return self.logit_range[1]

    def train_with_sgd(
        self,
        data: Mapping[str, npt.ArrayLike],
        num_iter: int,
        learning_rate: float,
        batch_size: int = 100,
        print_every: int = 100,
        *,
        callback: Callable[[int, float, float, float], bool | None] | None = None,
        should_stop: Callable[[], bool] | None = None,
        silent: bool = False,
    ) -> None:
        """
        Train with stochastic gradient descent, starting from the current weights.

        Each batch is drawn with replacement, so batch_size may exceed the number of embeddings.

        Args:
            data: ``'data_train'``, embeddings ``[N, D]``, and ``'labels_train'``, their labels;
                ``'data_val'`` and ``'labels_val'``, for validation; both may be empty.
            num_iter: number of iterations, 1 or more.
            learning_rate: step size, above 0.
            batch_size: embeddings per iteration, 1 or more.
            print_every: n, the interval of reports: iteration, loss and accuracies are printed
                after iterations 0, n, 2n, ...; 0 disables reports and the callback.
            callback: called at each report with the iteration (counted from 0), the batch's loss
                before that iteration's step, and training and validation accuracy after it
                (0 to 1; NaN without validation data).  Returning True stops the training.
            should_stop: called before every iteration; returning True stops the training.
            silent: whether to print nothing; the callback is still called.

        Raises:
            ValueError: if an argument is out of range or inconsistent; nothing is modified.
            TrainingDiverged (a ValueError): if a step would make the weights infinite or NaN; this
                step is not applied.
        """
        num_iter = arguments.whole_number(num_iter, 'num_iter', minimum=1)
        rate = arguments.real_number(learning_rate, 'learning_rate', above=0.0)
        batch_size = arguments.whole_number(batch_size, 'batch_size', minimum=1)
        print_every = arguments.whole_number(print_every, 'print_every', minimum=0)
        train, truth, validation, truth_val, classes = arguments.training_data(
            data, self._feature_dim, self._num_classes
        )
        dim = train.shape[1]
        arguments.fits_memory(batch_size, max(dim, classes), f'batch_size {batch_size}')
        self._settle_sizes(dim, classes)
        trained = Head(self.weights, self.bias)

        def report(progress: Progress) -> bool:
            figures = (progress.loss, progress.train_accuracy, progress.validation_accuracy)
            if not silent:
                form = _REPORT if len(validation) else _REPORT_WITHOUT_VALIDATION
                print(form.format(progress.iteration, *figures))
            return callback is not None and bool(callback(progress.iteration, *figures))

        def measure() -> tuple[float, float]:
            predicted, predicted_val = trained.predict(train), trained.predict(validation)
            validated = accuracy(truth_val, predicted_val) if len(validation) else math.nan
            return accuracy(truth, predicted), validated

        def draw_rows(count: int) -> IntArray:
            return self._rng.integers(0, len(train), count)

        with one_blas_thread():
            try:
                run_training_loop(
                    SgdStep(trained.weights, trained.bias, batch_size, self._reg),
                    batches(train, truth, batch_size, draw_rows),
                    lambda _: rate,
                    num_iter,
                    measure=measure,
                    report_every=0 if silent and callback is None else print_every,
                    on_progress=report,
                    should_stop=should_stop,
                )
            finally:
                # Set the range even after Ctrl-C, so that it matches the weights.
                lowest, highest = trained.range_of_logits(train)
                if math.isfinite(lowest) and math.isfinite(highest):
                    self.logit_range = (lowest, highest)

    def train_step(
        self, mat_x: npt.ArrayLike, labels: npt.ArrayLike, learning_rate: float
    ) -> float:
        """
        Take one step of gradient descent on exactly this batch.

        Unlike :meth:`train_with_sgd`, this method does not limit BLAS to one thread.  Run a loop
        of steps inside ``one_blas_thread()``, because small batches are faster with one thread.

        Args:
            mat_x: embeddings ``[N, D]``.
            labels: their labels.
            learning_rate: step size, 0 or more; 0 leaves the weights unchanged.

        Returns:
            The loss before the step, including the regularization.

        Raises:
            ValueError: if an argument is out of range or inconsistent; nothing is modified.
            TrainingDiverged (a ValueError): if the step would make the weights infinite or NaN;
                the step is not applied.

        >>> model = SoftmaxRegression(2, 2, seed=0)
        >>> losses = [model.train_step([[1, 0], [0, 1]], [0, 1], 1.0) for _ in range(50)]
        >>> print(f'loss: {losses[0]:.2f}, then {losses[-1]:.2f}')
        loss: 0.69, then 0.02
        """
        rate = arguments.real_number(learning_rate, 'learning_rate')
        batch = arguments.float_matrix(mat_x, 'mat_x', self._feature_dim)
        classes = self._num_classes or arguments.found_classes(labels, 'labels')
        indices = arguments.class_labels(labels, 'labels', len(batch), classes)
        self._settle_sizes(batch.shape[1], classes)
        step = SgdStep(self.weights, self.bias, len(batch), self._reg)
        with np.errstate(over='ignore', invalid='ignore', under='ignore'):
            step.forward(batch, indices)
            loss = step.loss()
            lowest, highest = step.logit_range()
            step.update(batch, rate)
        self._widen_logit_range(lowest, highest)
        return loss

    def run_inference(self, mat_x: npt.ArrayLike) -> int | IntArray:
        """
        Classify embeddings with the current weights.

        Args:
            mat_x: one embedding ``[D]``, or several ``[N, D]``.

        Returns:
            The class index of one embedding, or the class indices, int64 ``[N]``, of several.

        Raises:
            ValueError: if the shape of mat_x does not match, or there are no weights yet.
        """
        head = Head(self.weights, self.bias)
        rows = arguments.one_or_more_embeddings(mat_x, 'mat_x', head.feature_dim)
        classes = head.predict(rows)
        return int(classes[0]) if np.ndim(mat_x) == 1 else classes

    def get_accuracy(self, mat_x: npt.ArrayLike, labels: npt.ArrayLike) -> float:
        """
        Return the share of embeddings that are classified correctly, 0 to 1.

        Args:
            mat_x: embeddings ``[N, D]``, or one embedding ``[D]``.
            labels: their labels; for one embedding, a single class index or one-hot row suffices.

        Raises:
            ValueError: if the arguments' shapes do not match, or there are no weights yet.
        """
        head = Head(self.weights, self.bias)
        rows = arguments.one_or_more_embeddings(mat_x, 'mat_x', head.feature_dim)
        if np.ndim(mat_x) == 1 and np.shape(labels) != (1,):
            labels = arguments.as_array(labels, 'labels')[np.newaxis]
        truth = arguments.class_labels(labels, 'labels', len(rows), head.num_classes)
        return accuracy(truth, head.predict(rows))

    def serialize_model(
        self,
        in_model_path: str | Path,
        *,
        labels: Sequence[str] | None = None,
        input_range: str = '',
    ) -> bytes:
        """
        Append the trained layer to an embedding extractor.

        Weights and bias are quantized to match the extractor's output (uint8, int8), or stay
        float32.

        Args:
            in_model_path: the embedding extractor, a .tflite file.
            labels: a name for each class, written into the model's metadata; None writes none.
            input_range: range of the extractor's float32 input: ``'0..255'``, ``'0..1'``,
                ``'-1..1'``, or mean and standard deviation of the pixels, such as
                ``'127.5/127.5'``; '' = as its file states.  The retrained model also states it.

        Returns:
            The retrained model, the content of a .tflite file.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if there are no weights yet, the file is not an extractor for this layer,
                labels or input_range are invalid, or the range of a float32 input is neither
                stated nor given.
        """
        from edgetpu_retrain.model_file.head.append_head import append_head
        from edgetpu_retrain.model_file.normalization import read_input_range
        from edgetpu_retrain.model_file.reading import read_model

        head, chosen = self.head(labels), read_input_range(input_range)
        extractor = read_model(arguments.file_path(in_model_path, 'in_model_path'))
        return append_head(extractor, head, input_range=chosen)

    def save_as_tflite_model(
        self,
        in_model_path: str | Path,
        out_model_path: str | Path,
        *,
        labels: Sequence[str] | None = None,
        input_range: str = '',
    ) -> None:
        """
        Append the trained layer to an embedding extractor and save the result as a file.

        The file is replaced atomically: readers see the old file or the complete new one.

        Args:
            in_model_path: the embedding extractor, a .tflite file.
            out_model_path: the file to write; an existing file is replaced.
            labels: as in :meth:`serialize_model`.
            input_range: as in :meth:`serialize_model`.

        Raises:
            FileNotFoundError: if there is no such extractor, or no folder to write to.
            OSError: if the file cannot be written.
            ValueError: as in :meth:`serialize_model`, or if out_model_path is a folder.
        """
        from edgetpu_retrain.store.files.durable_file import write_durably

        target = arguments.file_path(out_model_path, 'out_model_path').expanduser()
        if target.is_dir():
            raise ValueError(f'out_model_path is {str(target)!r}, a folder; it must name a file')
        if not target.parent.is_dir():
            raise FileNotFoundError(
                f'there is no folder {str(target.parent)!r} for out_model_path; create it first'
            )
        model = self.serialize_model(in_model_path, labels=labels, input_range=input_range)
        write_durably(target, model)
