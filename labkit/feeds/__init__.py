"""How events reach a folder, a socket or Kafka, and at what pace; knows no Spark."""
