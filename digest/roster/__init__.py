"""Lists of subscribers on their way in and out: other services' exports, and our own.

reading   a CSV or NDJSON stream, row by row, whatever is wrong with it
vendors   whose columns mean what
cells     how values are written in a cell, safe to open in a spreadsheet
rows      a row of cells -> an entry for the store, or the reason why not
intake    the loop of an import
export    the other way
"""
