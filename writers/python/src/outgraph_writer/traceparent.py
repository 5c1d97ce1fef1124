"""The trace context of events.

It often comes from the header of a request, which is untrusted: a malformed one is ignored, and is never an error.

https://www.w3.org/TR/trace-context/#traceparent-header
"""

from __future__ import annotations

import re
from typing import Final

try:
    from opentelemetry import trace
except ImportError:  # The extra "opentelemetry" is not installed: no span is ever active.
    trace = None  # type: ignore[assignment]

# Later versions may append fields to the four of version 00.
_PATTERN: Final = re.compile(
    r"(?P<version>(?!ff)[0-9a-f]{2})-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?P<rest>-.*)?"
)


def active_traceparent(given: str | None) -> str | None:
    """The given trace context, or that of the active OpenTelemetry span. None if there is neither."""
    if given is not None and _is_valid(given):
        return given
    if trace is None:
        return None
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def _is_valid(traceparent: str) -> bool:
    found = _PATTERN.fullmatch(traceparent)
    return found is not None and not (found["version"] == "00" and found["rest"] is not None)
