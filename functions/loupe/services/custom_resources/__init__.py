"""What CloudFormation has Loupe make and take apart, one resource a module."""
