"""Limits on the time that this program waits for a PostgreSQL server."""

from sqlalchemy.engine import make_url

SERVER_SECONDS = 4
"""Seconds that one request waits for a server that does not answer, or for a locked table.

Optuna makes up to four requests before it gives up.
"""


def with_limits(url: str) -> str:
    """Return the URL of a database, with limits on waiting if the database is on PostgreSQL.

    Without limits, a request to a silent server takes minutes, and a locked table blocks for ever.
    Parameters that the URL has already are kept.

    Raises:
        ArgumentError, ValueError: this is not the URL of a database.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "postgresql" or "psycopg" not in parsed.get_driver_name():
        return url
    given = dict(parsed.query)
    milliseconds = str(1000 * SERVER_SECONDS)
    limits = {
        "connect_timeout": str(SERVER_SECONDS),
        "options": f"-c lock_timeout={milliseconds} {given.pop('options', '')}".strip(),
        "tcp_user_timeout": milliseconds,
        "keepalives_idle": str(SERVER_SECONDS),  # by default, a lost server is noticed after hours
    }
    limited = parsed.update_query_dict({**limits, **given})
    return limited.render_as_string(hide_password=False)
