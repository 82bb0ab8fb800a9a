"""What providers and session machines exchange: requests, messages, profiles; and checks of callers' arguments."""
