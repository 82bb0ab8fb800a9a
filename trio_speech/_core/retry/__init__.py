"""Why a link ended, and what to do about it: verdicts, budgets, the order of backends."""
