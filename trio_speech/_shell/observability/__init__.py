"""Log records, spans and metrics about the network, for those who operate a program."""
