"""Who may see and do what: users, roles, teams, hosts of teams, sign-in limits, the audit trail."""
