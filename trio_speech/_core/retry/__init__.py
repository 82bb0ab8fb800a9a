"""Why a connection ended, and what to do about it: causes, verdicts, retry budgets, the order of backends."""
