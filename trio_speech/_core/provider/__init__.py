"""What providers and machines say to each other: messages, requests, profiles, and the checks of what callers give."""
