"""What about TLS does not mend itself: the same for whoever carries mail."""

import ssl


def wrong_for_good(error: object) -> str:
    """Why this server will not do until somebody has changed something; empty: try again later."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    ended = isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError)
    if isinstance(error, ssl.SSLError) and not ended:
        return (error.reason or "TLS failed").lower().replace("_", " ")
    return ""
