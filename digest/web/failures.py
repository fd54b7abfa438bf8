"""What went wrong, said to a reader: a page for each kind, and nothing of what is behind it."""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from digest.errors import StoreError, TokenError
from digest.web.looks import page

RETRY_SECONDS = "60"


def failed(request: Request, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """The page for a status from 400 on."""
    return page(request, "failed.html", status=status, headers=dict(headers or {}), code=status)


def _by_status(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return failed(request, error.status_code, error.headers)


def _refused_token(request: Request, error: Exception) -> Response:
    """Forged, truncated, swapped, expired: the same answer, so that nobody learns which."""
    return page(request, "bad-link.html", status=404)


def _store(request: Request, error: Exception) -> Response:
    return failed(request, 503, {"Retry-After": RETRY_SECONDS})


Handler = Callable[[Request, Exception], Response]
HANDLERS: Mapping[Any, Handler] = {
    HTTPException: _by_status,
    TokenError: _refused_token,
    StoreError: _store,
}
