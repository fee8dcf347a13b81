export const answer = (question: string): string => `${question}, answered`;
