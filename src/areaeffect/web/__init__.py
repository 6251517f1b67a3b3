"""The local web app: shows stored results and starts pipeline runs; computes no effect itself."""
