"""What a layer still holds: a linear probe on the mean of the tokens, by scikit-learn."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

FOLDS = 5
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1)  # C, the inverse of the regularisation


def probe(features: np.ndarray, labels: np.ndarray, judged: np.ndarray) -> tuple[int, ...]:
    """Fit a standardised logistic regression, its C cross-validated, and predict.

    Args:
        features: (rows, hidden), what a layer holds of the rows to fit.
        labels: (rows,) label indices, of at least two kinds.
        judged: (judged rows, hidden).

    Returns:
        The label of each judged row.
    """
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
    folds = KFold(FOLDS, shuffle=True, random_state=0)  # a label may occur once
    search = GridSearchCV(
        pipeline,
        {"logisticregression__C": STRENGTHS},
        scoring="accuracy",
        cv=folds,
    )
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        return tuple(search.fit(features, labels).predict(judged).tolist())
