"""The use cases: what players and hosts do, as functions of rows. Each runs inside one transaction."""
