"""The tables of Procrastinate, as the installed version ships them."""

from digest.errors import StoreError

# The newest change to its tables that this program knows. A version that brings another one needs
# a revision of ours that applies it; a test fails until there is one.
NEWEST = "03.04.00_50_post_add_retry_failed_job_procedure.sql"


def schema() -> str:
    """Everything it needs, for a database that has none of it."""
    try:
        from procrastinate.schema import SchemaManager
    except ModuleNotFoundError as error:
        raise StoreError(
            f"PostgreSQL needs the package {error.name}",
            hint="install it with: pip install 'digest-newsletter[postgres]'",
        ) from error
    return SchemaManager.get_schema()
