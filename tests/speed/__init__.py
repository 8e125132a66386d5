"""How fast services are where a goal is set: what ``loadtest`` measures, given what it may not know."""
