"""The data that providers and sessions exchange: requests, messages and profiles; and checks of users' arguments."""
