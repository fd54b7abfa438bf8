"""Lists of subscribers on their way in and out: other services' exports, and our own.

lines     the lines of a stream, and the way back when a row went wrong
reading   a CSV or NDJSON stream, row by row, whatever is wrong with it
vendors   whose columns mean what
cells     how values are written in a cell, safe to open in a spreadsheet
rows      the cells of a row -> what they say of a person, or the reason why not
evidence  consents in a cell
entries   a row -> an entry for the store
intake    the loop of an import
export    the other way

What `subscribers` reads with (lines, reading, vendors, cells, rows) needs no database.
"""
