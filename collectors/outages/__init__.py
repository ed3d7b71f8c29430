"""How long services did not serve: each time it was so, the clocks that run, and what that comes to over a day.

Pure: looks at services go in with their times, spans come out. `ledger` follows each service, `spans` adds up,
`incidents` says when somebody has to be told.
"""
