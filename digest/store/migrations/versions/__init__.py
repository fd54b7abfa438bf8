"""One file a revision, applied in the order of `digest.store.schema.REVISIONS`."""
