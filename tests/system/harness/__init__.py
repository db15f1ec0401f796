"""What the system suites share: a server that can be killed, clients that can be rude, files that can be broken."""
