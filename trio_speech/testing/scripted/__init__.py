"""The scripted gateway: a service that recognizes and speaks as told, and fails as told."""
