"""Deploys: a change of what a service is made from, as one thing across its replicas and hosts.

Pure. `changes` reads them from when containers were made of what, `book` follows each as it goes, `records` keeps them.
"""
