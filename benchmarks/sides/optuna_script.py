"""The careful script: Optuna and Keras, or scikit-learn's MLPClassifier, in one process."""

from __future__ import annotations

import copy
import gc
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import optuna

from .best import Best, Found, OutOfTime
from .problem import Problem


def search(family: str, problem: Problem, deadline: float) -> Found:
    """Search until the deadline, beginning with the default configuration."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    best = Best(deadline)
    train = _SklearnTraining(problem, best) if family == "mlp" else _KerasTraining(family, problem, best)
    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(multivariate=True, group=True, seed=problem.seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=max(1, problem.max_epochs // 8)),
    )
    study.enqueue_trial(problem.defaults)
    with suppress(OutOfTime):
        study.optimize(train, timeout=max(0.0, best.remaining_s()))
    states = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
    return Found(len(study.get_trials(deepcopy=False, states=states)), best, train.deliver)


class _SklearnTraining:
    """One call of ``partial_fit`` per epoch, early stopping on the validation part."""

    def __init__(self, problem: Problem, best: Best) -> None:
        self._problem, self._best = problem, best

    def __call__(self, trial: optuna.Trial) -> float:
        problem, best = self._problem, self._best
        params = problem.plugin.suggest_params(trial, problem.train.spec)
        model = problem.plugin.build(params, problem.train.spec, problem.seed)
        model.set_params(random_state=np.random.RandomState(problem.seed + trial.number))
        losses: list[float] = []
        for epoch in range(problem.max_epochs):
            best.check_time()
            model.partial_fit(problem.train.X, problem.train.y, classes=np.arange(problem.train.spec.n_classes))
            proba = model.predict_proba(problem.valid.X)
            loss = _log_loss(proba, problem.valid.y)
            losses.append(loss)
            accuracy = float((proba.argmax(1) == problem.valid.y).mean())
            best.offer(loss, accuracy, params, lambda: copy.deepcopy(model))
            trial.report(loss, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
            if epoch - int(np.argmin(losses)) >= problem.patience:
                break
        return min(losses)

    def deliver(self) -> Callable[[], Any]:
        return lambda: self._best.state.predict_proba(self._problem.X_test)


def _log_loss(proba: Any, y: Any) -> float:
    """Return the mean log loss; a diverged model is worse than all others."""
    chosen = np.clip(proba[np.arange(len(y)), y], np.finfo(np.float32).eps, 1.0)
    return float(np.nan_to_num(-np.log(chosen).mean(), nan=np.inf))


class _KerasTraining:
    """``fit`` with early stopping, the session cleared before each trial."""

    def __init__(self, family: str, problem: Problem, best: Best) -> None:
        import keras

        from . import keras_parts

        self._keras, self._parts = keras, keras_parts
        self._family, self._problem, self._best = family, problem, best
        self._data = keras_parts.KerasData(problem)
        keras_parts.use_plain_layers()
        keras.utils.set_random_seed(problem.seed)

    def __call__(self, trial: optuna.Trial) -> float:
        self._keras.backend.clear_session()
        gc.collect()
        params = self._problem.plugin.suggest_params(trial, self._problem.train.spec)
        model = self._parts.compiled(self._family, self._problem, params)
        monitor = self._parts.MONITOR

        def prune(epoch: int, logs: Any) -> None:
            trial.report(logs[monitor], epoch)
            if trial.should_prune():
                raise optuna.TrialPruned

        history = self._parts.fit(
            model,
            self._data,
            self._problem,
            params,
            epochs=self._problem.max_epochs,
            callbacks=[
                *self._parts.callbacks(self._problem, params, self._best),
                self._keras.callbacks.LambdaCallback(on_epoch_end=prune),
            ],
        )
        return float(min(history.history[monitor]))

    def deliver(self) -> Callable[[], Any]:
        model = self._parts.compiled(self._family, self._problem, self._best.params)
        model.set_weights(self._best.state)
        batch = self._parts.EVALUATION_BATCH
        return lambda: model.predict(self._data.test(self._best.params), batch_size=batch, verbose=0)
