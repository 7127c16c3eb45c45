// A role that dies instead of answering.
console.error('out of luck');
process.exit(3);
