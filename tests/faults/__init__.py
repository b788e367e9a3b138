"""The matrix of faults: what becomes of each kind of fault, at each stage of a scrape, for each collector.

`matrix` has all of its cells (`cells`). Their faults are in `below_http`, `http`, `decoding` and `rows`, and are made
in the ways of `ways`: by ports (`doors`) that talk otherwise than they should (`talks`), by a name server (`names`), or
by an Oxidized (`oxidized`) whose bodies become others (`bodies`). `test_matrix` and `test_heavy` ask for them
(`asking`), hold the answers to what the cell says (`judging`), and look what the process has left (`left`). `callers`
are the faults of those who ask. `page` writes the table of docs/reliability.md.
"""
