"""The pieces of an index on disk: files of arrays, terms, columns of values, stored records."""
